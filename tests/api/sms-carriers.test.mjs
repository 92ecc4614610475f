// What carriers say and are asked, with SMSCs that are not ours (npm smpp): opt-outs they know of; cancel_sm, query_sm, replace_sm;
// data_sm both ways; TLVs that nobody knows.
import assert from 'node:assert/strict'
import test from 'node:test'
import smpp from 'smpp'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { carrier } from './foreign-carrier.mjs'
import { connectionString, eventually, key, lease, own, randomUUID, refused, signed } from './harness.mjs'

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
  assert.match(JSON.stringify(told), new RegExp(`wants no texts of \\${from}; said by: ${by}`))
  assert.deepEqual([told.decision.outcome, told.decision.rule], ['refused', 'RecipientOptedOut'])
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
  const after = await send(to)
  assert.equal(after.httpStatusCode, 202)
  await acme.receipt(await acme.gave(to), { from, to })
  await state(after.messageId, 'delivered')
})

test('a receipt\'s error may say it, too; another error does not', async (t) => {
  const acme = await carrier(t, { optoutError: ['88'] })
  const [out, other] = ['+12065550111', '+12065550112'], ids = {}
  for (const to of [out, other]) {
    ids[to] = (await send(to)).messageId
    await acme.receipt(await acme.gave(to), { from, to, stat: 'UNDELIV', err: to === out ? '088' : '001' })
    await state(ids[to], 'failed')
  }
  assert.match((await story(ids[out])).find((l) => l.step === 'report').text, /^4007: /)
  assert.equal((await optedOut(out)).source, `carrier ${acme.name}`)
  await assertBlocked(out, `carrier ${acme.name}`)
  assert.match((await story(ids[other])).find((l) => l.step === 'report').text, /^4004: /)
})

test('magic numbers opt out at the built-in carrier', async () => {
  for (const [digits, said] of [['0166', /command_status 0x00000407/], ['0167', /stat:UNDELIV err:407/]]) {
    const to = `+1206555${digits}`, { messageId } = await send(to)
    await state(messageId, 'failed')
    assert.match((await story(messageId)).find((l) => l.step === 'opt-out').text, said)
    await assertBlocked(to, 'carrier sim')
  }
})

const cancel = (id) => own('POST', `messages/${id}/:cancel`)

test('what a carrier holds is cancelled there: cancel_sm for each part, by the ids it gave', async (t) => {
  let n = 0
  const acme = await carrier(t, {}, { submit_sm: (pdu) => ({ message_id: `00AbC${++n}` }), cancel_sm: () => ({}) })
  const { messageId } = await send('+12065550120', 'x'.repeat(200))
  await state(messageId, 'submitted')
  await cancel(messageId)
  assert.equal((await own('GET', `messages/${messageId}`)).state, 'failed')
  const asked = acme.heard.filter((p) => p.command === 'cancel_sm')
  assert.deepEqual(asked.map((p) => [p.message_id, `+${p.source_addr}`, p.destination_addr]), [['00AbC1', from, '12065550120'], ['00AbC2', from, '12065550120']])
  const lines = (await story(messageId)).map((l) => `${l.step} ${l.text}`)
  for (const wanted of [`smpp cancel_sm to ${acme.name} for 2 of 2 segments`, `smpp ${acme.name}, cancel_sm of 00AbC2: ESME_ROK (0x00000000)`,
    `cancel it was taken back, cancelled by ${acme.name}: id 00AbC2 stat:DELETED err:000`]) assert.ok(lines.includes(wanted), `${wanted} is not in ${lines.join('\n')}`)
  assert.equal((await refused(() => cancel(messageId), 409)).innererror.code, 'MessageNotWaiting')
})

test('a carrier that does not cancel is believed: 409, and its receipt decides', async (t) => {
  const acme = await carrier(t, {}, { cancel_sm: () => ({ command_status: 0x11 }) })
  const to = '+12065550121', { messageId } = await send(to)
  await state(messageId, 'submitted')
  assert.equal((await refused(() => cancel(messageId), 409)).innererror.code, 'MessageNotCancelled')
  assert.ok((await story(messageId)).some((l) => /cancel_sm of .*: ESME_RCANCELFAIL/.test(l.text)))
  await acme.receipt(await acme.gave(to), { from, to })
  await state(messageId, 'delivered')
})

test('a carrier that knows no cancel_sm, or says nothing before its link goes, did not cancel', async (t) => {
  let silent = false
  const acme = await carrier(t, {}, { cancel_sm: (pdu, n, session) => { if (silent) { session.destroy(); return null } return { nack: 3 } } })
  const { messageId } = await send('+12065550122')
  await state(messageId, 'submitted')
  await refused(() => cancel(messageId), 409)
  assert.ok((await story(messageId)).some((l) => /ESME_RINVCMDID/.test(l.text)))
  silent = true
  await refused(() => cancel(messageId), 409)
  assert.ok((await story(messageId)).some((l) => /no answer came/.test(l.text)))
})

test('the simulated carrier says by a receipt that it cancelled, before its answer', async (t) => {
  t.after(() => own('POST', 'sim/smsc/:reset', {}))
  await own('PATCH', 'sim/smsc', { receiptDelay: '1h' })
  const { messageId } = await send('+12065550126')
  await state(messageId, 'submitted')
  await cancel(messageId)
  assert.equal((await own('GET', `messages/${messageId}`)).state, 'failed')
  assert.ok((await story(messageId)).some((l) => /stat:DELETED/.test(l.text)))
})

test('without a receipt in time the carrier is asked until it knows the end', async (t) => {
  let asked = 0
  const states = [1, 2]           // ENROUTE, then DELIVERED
  const acme = await carrier(t, { queryAfter: 1 }, { query_sm: (pdu) => ({ message_id: pdu.message_id, final_date: '', message_state: states[asked++] ?? 2, error_code: 0 }) })
  const to = '+12065550123', { messageId } = await send(to), id = await acme.gave(to)
  await state(messageId, 'delivered')
  assert.equal(asked, 2)
  assert.ok(acme.heard.filter((p) => p.command === 'query_sm').every((p) => p.message_id === id && `+${p.source_addr}` === from))
  const lines = (await story(messageId)).map((l) => `${l.step} ${l.text}`)
  for (const wanted of [`smpp query_sm to ${acme.name} for 1 of 1 segments`, `smpp ${acme.name}, query_sm of ${id}: ESME_ROK (0x00000000), stat:ENROUTE`,
    `receipt query_sm_resp of ${acme.name}: id ${id} stat:DELIVRD err:000`]) assert.ok(lines.includes(wanted), `${wanted} is not in ${lines.join('\n')}`)
})

test('a carrier that is told nothing of it is not asked', async (t) => {
  const acme = await carrier(t)
  const to = '+12065550124', { messageId } = await send(to)
  await state(messageId, 'submitted')
  await acme.receipt(await acme.gave(to), { from, to })
  await state(messageId, 'delivered')
  assert.ok(!acme.heard.some((p) => p.command === 'query_sm'))
})

test('texts go as data_sm to a carrier that wants it so, and come from it as data_sm', async (t) => {
  const acme = await carrier(t, { submit: 'data_sm' })
  const to = '+12065550125', phone = to.slice(1)
  const [{ messageId }] = await sms.send({ from, to: [to], message: 'Grüße €' }, { enableDeliveryReport: true })
  const pdu = await acme.next('data_sm')
  assert.deepEqual([pdu.message_payload.message ?? pdu.message_payload, `+${pdu.source_addr}`, pdu.destination_addr, pdu.registered_delivery], ['Grüße €', from, phone, 1])
  await state(messageId, 'submitted')
  const answer = await acme.ask('data_sm', { esm_class: 4, source_addr_ton: 1, source_addr: phone, dest_addr_ton: 1, destination_addr: from.slice(1),
    receipted_message_id: await acme.gave(to), message_state: 2 })
  assert.deepEqual([answer.command, answer.command_status], ['data_sm_resp', 0])
  await state(messageId, 'delivered')
  const reply = await acme.ask('data_sm', { source_addr_ton: 1, source_addr: phone, dest_addr_ton: 1, destination_addr: from.slice(1), message_payload: 'thanks' })
  assert.deepEqual([reply.command, reply.command_status], ['data_sm_resp', 0])
  const { value } = await own('GET', 'messages?state=received')
  assert.ok(value.some((m) => m.from === to && m.message === 'thanks') || value.some((m) => m.from === to), JSON.stringify(value[0]))
  assert.ok(!acme.heard.some((p) => p.command === 'submit_sm'))
})

test('TLVs that nobody knows are kept in the story, of answers, receipts and messages', async (t) => {
  const acme = await carrier(t, { tlvs: ['0x1401=campaign-7', '0x1402=hex:00ff'] })
  const to = '+12065550127', phone = to.slice(1), { messageId } = await send(to)
  assert.equal(String((await acme.next('submit_sm')).campaign), 'campaign-7')
  await state(messageId, 'submitted')
  const cstring = (text) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.from([0])])
  const tlv = (tag, value) => { const head = Buffer.alloc(4); head.writeUInt16BE(tag, 0); head.writeUInt16BE(value.length, 2); return Buffer.concat([head, value]) }
  const deliver = (sequence, esmClass, text, ...tlvs) => {
    const body = Buffer.concat([cstring(''), Buffer.from([1, 1]), cstring(phone), Buffer.from([1, 1]), cstring(from.slice(1)), Buffer.from([esmClass, 0, 0]), cstring(''), cstring(''),
      Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text, 'latin1'), ...tlvs])
    const head = Buffer.alloc(16)
    head.writeUInt32BE(16 + body.length, 0); head.writeUInt32BE(5, 4); head.writeUInt32BE(sequence, 12)
    acme.links.at(-1).session.socket.write(Buffer.concat([head, body]))
  }
  deliver(900001, 4, `id:${await acme.gave(to)} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:x`,
    tlv(0x1403, cstring('T-Mobile')), tlv(0x1404, Buffer.from([0, 1, 10, 255])))
  await state(messageId, 'delivered')
  const line = (await story(messageId)).find((l) => l.step === 'receipt').text
  assert.match(line, /stat:DELIVRD err:000, TLVs 0x1403=T-Mobile 0x1404=hex:00010aff$/)
  deliver(900002, 0, 'with a tag', tlv(0x1405, Buffer.from('310260')))
  const inbound = await eventually('the message', async () => (await own('GET', 'messages?state=received')).value.find((m) => m.from === to))
  assert.ok((await story(inbound.messageId)).some((l) => l.text === 'TLVs 0x1405=310260'))
})

test('an SMSC\'s outbind is refused, its alert_notification is taken silently, and the link goes on', async (t) => {
  const acme = await carrier(t)
  const { session } = acme.links.at(-1), heard = []
  session.on('pdu', (pdu) => heard.push([pdu.command, pdu.command_status, pdu.sequence_number]))
  session.send(new smpp.PDU('alert_notification', { sequence_number: 7001, source_addr_ton: 1, source_addr: '12065550129', esme_addr_ton: 1, esme_addr: from.slice(1) }))
  session.send(new smpp.PDU('outbind', { sequence_number: 7002, system_id: acme.name, password: 'x' }))
  await eventually('the outbind is refused', () => heard.length)
  assert.deepEqual(heard, [['generic_nack', smpp.ESME_RINVCMDID, 7002]])
  const to = '+12065550129', { messageId } = await send(to)
  await acme.receipt(await acme.gave(to), { from, to })
  await state(messageId, 'delivered')
  assert.equal(acme.links.length, 1)
})

test('a transmitter and a receiver at one SMSC: a receipt on the other link, before its answer, in another form', async (t) => {
  const hex = 'BADC0FFEE0', decimal = String(0xbadc0ffee0n)
  let session, late
  const acme = await carrier(t, { bind: 'transmitter', receiptId: 'hex-dec' }, { submit_sm: (pdu, n, on) => { session = on; late = pdu; return null } })
  await acme.add(`${acme.name}-in`, 'receiver')
  await eventually('both are bound', () => acme.links.length === 2)
  const to = '+12065550128', { messageId } = await send(to)
  await eventually('the text', () => late)
  const answer = await acme.receipt(decimal, { from, to })
  assert.equal(answer.command_status, 0)
  assert.equal((await own('GET', `messages/${messageId}`)).state, 'queued')         // no answer yet
  session.send(late.response({ message_id: hex }))
  await state(messageId, 'delivered')
  assert.ok((await story(messageId)).some((l) => l.text.startsWith(`receipt of ${acme.name}-in: id ${decimal} (decimal of the answer's hex) stat:DELIVRD`)))
})
