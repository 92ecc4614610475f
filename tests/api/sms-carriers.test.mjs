// What carriers say and are asked, with SMSCs that are not ours (npm smpp): opt-outs they know of.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { carrier } from './foreign-carrier.mjs'
import { connectionString, eventually, key, lease, own, randomUUID, signed } from './harness.mjs'

const sms = new SmsClient(connectionString)
const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'inbound+outbound' })
const send = async (to, message = randomUUID()) => (await sms.send({ from, to: [to], message }, { enableDeliveryReport: true }))[0]
const story = async (id) => (await own('GET', `explain/${id}`)).lines
const state = (id, wanted) => eventually(`${id} is ${wanted}`, async () => (await own('GET', `messages/${id}`)).state === wanted)
const optedOut = async (to) => (await own('GET', `optouts?from=${encodeURIComponent(from)}`)).value.find((e) => e.to === to)

/** Sending to it again is refused, and explain of that request says who said so. */
async function assertBlocked(to, by) {
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', { from, smsRecipients: [{ to }], message: 'again' })
  const [again] = (await answer.json()).value, request = answer.headers.get('x-ms-request-id')
  assert.deepEqual([again.httpStatusCode, again.errorMessage], [400, 'Sender blocked for given recipient.'])
  const told = await eventually('the request is explained', async () => (await own('GET', `explain/${request}`).catch(() => null)))
  assert.match(JSON.stringify(told), new RegExp(`It opted out, said by: ${by}`))
}

test('a refusal that the profile calls an opt-out is recorded, reported as 4007, and explained', async (t) => {
  const acme = await carrier(t, { optoutStatus: ['0x414'] }, { submit_sm: (pdu, n) => n === 1 ? { command_status: 0x414 } : { message_id: `x${n}` } })
  const to = '+12065550110', { messageId } = await send(to)
  await state(messageId, 'failed')
  const report = (await story(messageId)).find((l) => l.step === 'report').text
  assert.match(report, /^4007: /)
  assert.match((await story(messageId)).find((l) => l.step === 'opt-out').text, new RegExp(`^${acme.name} refused it: submit_sm_resp command_status 0x00000414, its recipient opted out$`))
  const entry = await optedOut(to)
  assert.deepEqual([entry.source, entry.messageId], [`carrier ${acme.name}`, messageId])
  await assertBlocked(to, `carrier ${acme.name}`)
  await acme.ask('deliver_sm', { source_addr_ton: 1, source_addr: to.slice(1), dest_addr_ton: 1, destination_addr: from.slice(1), short_message: 'START' })
  assert.equal(await optedOut(to), undefined)
  assert.equal((await send(to)).httpStatusCode, 202)
})

test('a receipt\'s error may say it, too; another error does not', async (t) => {
  const acme = await carrier(t, { optoutError: ['88'] })
  const [out, other] = ['+12065550111', '+12065550112'], ids = {}
  for (const to of [out, other]) {
    ids[to] = (await send(to)).messageId
    await acme.next('submit_sm', (p) => `+${p.destination_addr}` === to)
    await acme.receipt(`${acme.name}-${to === out ? 1 : 2}`, { from, to, stat: 'UNDELIV', err: to === out ? '088' : '001' })
    await state(ids[to], 'failed')
  }
  assert.match((await story(ids[out])).find((l) => l.step === 'report').text, /^4007: /)
  assert.equal((await optedOut(out)).source, `carrier ${acme.name}`)
  await assertBlocked(out, `carrier ${acme.name}`)
  assert.match((await story(ids[other])).find((l) => l.step === 'report').text, /^4004: /)
  assert.equal((await send(other)).httpStatusCode, 202)
})

test('magic numbers opt out at the built-in carrier', async () => {
  for (const [digits, said] of [['0166', /command_status 0x00000407/], ['0167', /stat:UNDELIV err:407/]]) {
    const to = `+1206555${digits}`, { messageId } = await send(to)
    await state(messageId, 'failed')
    assert.match((await story(messageId)).find((l) => l.step === 'opt-out').text, said)
    await assertBlocked(to, 'carrier sim')
  }
})
