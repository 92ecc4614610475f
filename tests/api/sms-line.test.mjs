// What changes while texts wait at a carrier that is slow: an opt-out, quiet hours, a limit. Nothing leaves that may not leave any more.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, lease, own, randomUUID } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const ctl = (...args) => execFileSync(process.env.CARTERFONE, [...args, '--data', process.env.CARTERFONE_DATA], { encoding: 'utf8' })
const message = (id) => own('GET', `messages/${id}`)
const story = async (id) => (await own('GET', `explain/${id}`)).lines
const inbox = async (to) => (await own('GET', `handsets/${encodeURIComponent(to)}/inbox`)).value
const send = async (to, text = randomUUID()) => (await sms.send({ from, to: [to], message: text }, { enableDeliveryReport: true }))[0].messageId
const slow = async (t, delay = '300ms') => {
  await own('PATCH', 'sim/smsc', { answerDelay: delay })
  t.after(() => own('PATCH', 'sim/smsc', { answerDelay: '0ms' }))
}
const states = async (ids) => (await Promise.all(ids.map(message))).map((m) => m.state)
const count = (list, word) => list.filter((x) => x === word).length

test('who opts out gets nothing more of what waits at the carrier, and others get theirs in order', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/line` })
  await slow(t)
  const out = '+12065550131', other = '+12065550132', mine = [], theirs = [], texts = []
  for (let i = 0; i < 25; i++) {
    mine.push(await send(out))
    texts.push(`${i} ${randomUUID()}`)
    theirs.push(await send(other, texts[i]))
  }
  await eventually('one is there', async () => (await inbox(out)).length > 0)
  await own('POST', `handsets/${encodeURIComponent(out)}/:sms`, { to: from, text: 'STOP' })
  await eventually('the opt-out', async () => (await own('GET', `optouts?from=${encodeURIComponent(from)}`)).value.length === 1)
  const left = (await inbox(out)).length
  await own('PATCH', 'sim/smsc', { answerDelay: '0ms' })
  await eventually('all ended', async () => (await states(mine)).every((s) => s === 'delivered' || s === 'failed'))
  const ended = await states(mine)
  assert.ok(count(ended, 'failed') >= 10, ended.join())            // a window of ten is on its way at most
  assert.ok(count(ended, 'delivered') <= left + 10)
  const last = mine.at(-1)
  assert.equal(ended.at(-1), 'failed')
  assert.match((await hook.event('SMSDeliveryReportReceived', (d) => d.messageId === last)).event.data.deliveryStatusDetails, /^4007/)
  assert.match((await story(last)).find((l) => l.step === 'opt-out').text, /its recipient opted out while it waited/)
  await eventually('the other has all', async () => (await states(theirs)).every((s) => s === 'delivered'))
  assert.deepEqual((await inbox(other)).map((m) => m.text).filter((x) => texts.includes(x)).sort(), [...texts].sort())
})

test('quiet hours and limits that begin while texts wait at the carrier hold what has not left, and let it go', async (t) => {
  t.after(async () => { for (const { name } of (await own('GET', 'smsGuards')).value) await own('DELETE', `smsGuards/${name}`) })
  await slow(t)
  const to = '+12065550133', ids = []
  for (let i = 0; i < 30; i++) ids.push(await send(to))
  const local = (ms) => new Intl.DateTimeFormat('en-GB', { timeZone: 'America/Los_Angeles', hour: '2-digit', minute: '2-digit' }).format(ms)
  const now = Date.parse((await own('GET', 'clock')).productTime), hour = 3600000
  ctl('guard', 'add', 'night', '--kind', 'quiet', '--match', '*', '--from', local(now - hour / 2), '--until', local(now + hour / 2))
  await own('PATCH', 'sim/smsc', { answerDelay: '0ms' })
  await eventually('it waits', async () => (await message(ids.at(-1))).waiting?.for === 'quietHours')
  await eventually('the first has left', async () => (await message(ids[0])).state === 'delivered')
  const waits = (await Promise.all(ids.map(message))).filter((m) => m.waiting?.for === 'quietHours').length
  assert.ok(waits >= 10, `${waits} wait`)
  await own('POST', 'smsGuards', { name: 'two', kind: 'prefix', match: '+1206', count: 2, windowSeconds: 3600 })
  await own('DELETE', 'smsGuards/night')
  await eventually('two more have left', async () => count(await states(ids), 'delivered') === ids.length - waits + 2)
  assert.equal((await message(ids.at(-1))).waiting.for, 'prefix')
  await own('DELETE', 'smsGuards/two')
  await eventually('all have', async () => (await states(ids)).every((s) => s === 'delivered'))
  assert.equal((await inbox(to)).length, ids.length)
})

test('a text in a carrier\'s line says how many are ahead and, once the carrier has shown how fast it is, when it will leave', async (t) => {
  await slow(t, '1s')
  const ids = []
  for (let i = 0; i < 9; i++)
    ids.push(...(await sms.send({ from, to: Array.from({ length: 100 }, (_, k) => `+1206555${String(1000 + 100 * i + k)}`), message: 'in line' })).map((r) => r.messageId))
  const waiting = await eventually('an estimate', async () => { const { waiting: w } = await message(ids.at(-1)); return w?.expectedAt && w })
  assert.equal(waiting.for, 'carrier')
  assert.ok(waiting.ahead > 50, JSON.stringify(waiting))
  const now = Date.parse((await own('GET', 'clock')).productTime), later = (Date.parse(waiting.expectedAt) - now) / 1000
  assert.ok(later > waiting.ahead / 150 && later < (waiting.ahead + 400) / 40, `${waiting.ahead} ahead, in ${later} s`)      // a window of 100 a second, and 400 in its hands
  assert.match(ctl('sms', 'show', ids.at(-1)), /AHEAD[\s\S]*EXPECTED/)
  assert.deepEqual((await message(ids[390])).waiting, { for: 'answer', carrier: 'sim' })
  await own('PATCH', 'sim/smsc', { answerDelay: '0ms' })
  await eventually('all have left', async () => (await message(ids.at(-1))).state === 'delivered')
})
