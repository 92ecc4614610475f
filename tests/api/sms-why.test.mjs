// Why a text did not leave, or waits: what explain, preview and the command line say of it, and what to do.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, key, lease, own, randomUUID, signed } from './harness.mjs'

const sms = new SmsClient(connectionString)
const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'inbound+outbound' })
const arguments_ = (args) => [...args, '--data', process.env.CARTERFONE_DATA]
const ctl = (...args) => execFileSync(process.env.CARTERFONE, arguments_(args), { encoding: 'utf8' })
const message = (id) => own('GET', `messages/${id}`)
const told = (id) => eventually(`the story of ${id}`, () => own('GET', `explain/${id}`).catch(() => null))
const text = (to, more = {}) => signed(key, 'POST', '/sms?api-version=2026-01-23', { from, smsRecipients: to.map((number) => ({ to: number })), message: randomUUID(), ...more })
const guard = (name, kind, match, more = {}) => own('POST', 'smsGuards', { name, kind, match, ...more })
const noGuards = async () => { for (const { name } of (await own('GET', 'smsGuards')).value) await own('DELETE', `smsGuards/${name}`) }
const preview = (to, wanted = 200) => signed(key, 'POST', '/carterfone/v1/messages/:preview', { from, to, message: 'code' })
  .then(async (answer) => { assert.equal(answer.status, wanted); return answer.json() })

test('a request whose recipients were all refused is told as refused: each, the rule, what to do', async () => {
  ctl('optout', 'add', '--from', from, '+12065550160')
  const answer = await text(['12', '+442079460000', '+12065550160'])
  assert.equal(answer.status, 202)
  const { decision, lines } = await told(answer.headers.get('x-ms-request-id'))
  assert.deepEqual([decision.outcome, decision.rule], ['refused', 'SmsDestinationInvalid'])
  assert.match(decision.next, /country code/)
  const { text: words } = lines.find((l) => l.step === 'refused')
  assert.match(words, /^3 of 3 recipients were refused: 12: Invalid To.* \+442079460000: SMS to .* is not allowed.* \+12065550160: \S+ wants no texts of/)
  const some = await text(['12', '+12065550161'])
  assert.deepEqual((await told(some.headers.get('x-ms-request-id'))).decision.outcome, 'accepted for some')
})

test('more refusals than there is room for are counted', async () => {
  const answer = await text(Array.from({ length: 60 }, (_, i) => `nonsense ${i}`))
  const { lines } = await told(answer.headers.get('x-ms-request-id'))
  assert.match(lines.find((l) => l.step === 'refused').text, /^60 of 60 recipients were refused: nonsense 0: .* And \d+ more\.$/)
})

test('the command line sends one text to each --to, and leads to why a recipient was refused', () => {
  const run = (...args) => spawnSync(process.env.CARTERFONE, arguments_(args), { encoding: 'utf8' })
  const two = run('sms', 'send', '--from', from, '--to', '+12065550162,+12065550163', 'x')
  assert.deepEqual([two.status, two.stdout], [2, ''])
  assert.match(two.stderr, /--to takes one number/)
  const bad = run('sms', 'send', '--from', from, '--to', '12', 'x')
  assert.equal(bad.status, 1)
  const [, request] = bad.stderr.match(/why: +carterfone explain (\S+)/)
  assert.match(ctl('explain', request), /SmsDestinationInvalid[\s\S]*such as \+12065550100/)
})

test('preview refuses what sending would: caps, limits that refuse, pumping; and counts nothing', async (t) => {
  t.after(noGuards)
  ctl('guard', 'set', 'pumping', '--count', '2', '--per', '10m', '--on')
  const range = Array.from({ length: 3 }, (_, i) => `+1214555${1000 + i}`)
  for (let i = 0; i < 3; i++) {
    const { recipients } = await preview(range)
    assert.deepEqual(recipients.map((r) => [r.accepted, r.rule]), [[true, undefined], [true, undefined], [false, 'PumpingSuspected']])
  }
  await guard('one', 'sender', from, { count: 1, windowSeconds: 600, excess: 'refuse' })
  for (let i = 0; i < 3; i++) await preview(range.slice(0, 1))
  assert.equal((await preview(range.slice(0, 2), 429)).error.innererror.code, 'SmsRequestOverLimit')
  assert.equal((await sms.send({ from, to: range.slice(0, 1), message: 'code' }))[0].httpStatusCode, 202)
  assert.equal((await preview(range.slice(0, 1), 429)).error.innererror.code, 'SmsLimitReached')
  await noGuards()
  await own('POST', 'accounts/default/:spendCap', { microUsd: 1 })
  t.after(() => own('POST', 'accounts/default/:spendCap', { microUsd: null }))
  assert.equal((await preview(range.slice(0, 1), 403)).error.innererror.code, 'SpendCapReached')
})

test('what waits for a carrier that is down says so, and so does its end', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address()
  closed.close()
  await own('POST', 'smscs', { name: 'nowhere', host: `127.0.0.1:${port}`, systemId: 'x', password: 'x', simulated: true })
  await own('POST', 'smsRoutes', { name: 'nowhere', carrier: 'nowhere', prefix: '+1206' })
  t.after(() => own('DELETE', 'smsRoutes/nowhere'))
  const answer = await text(['+12065550164'], { smsSendOptions: { enableDeliveryReport: true, deliveryReportTimeoutInSeconds: 60 } })
  const { messageId } = (await answer.json()).value[0]
  assert.match((await told(messageId)).lines.find((l) => l.step === 'waits').text, /^for carrier nowhere, which is down since 20\d\d-/)
  assert.match(ctl('sms', 'show', messageId), /CARRIER +nowhere[\s\S]*DOWN SINCE +20\d\d-/)
  await own('POST', 'clock/:advance', { seconds: 61 })
  await eventually('it failed', async () => (await message(messageId)).state === 'failed')
  const { decision } = await told(messageId)
  assert.match(decision.why, /^no carrier took it while it was valid; it waited for nowhere, which is down since/)
  assert.match(decision.next, /smsc list/)
})

test('what a guard held for as long as it was valid names the guard, and says before that it will', async (t) => {
  t.after(noGuards)
  await guard('slow', 'sender', from, { count: 1, windowSeconds: 600 })
  const options = { smsSendOptions: { enableDeliveryReport: true, deliveryReportTimeoutInSeconds: 60 } }
  await text(['+12065550165'])
  const { messageId } = (await (await text(['+12065550165'], options)).json()).value[0]
  assert.match((await told(messageId)).lines.find((l) => l.step === 'waits').text, /^for its sender's limit \(guard slow\); at \S+ its validity is over, before it may leave$/)
  await own('POST', 'clock/:advance', { seconds: 61 })
  await eventually('it failed', async () => (await message(messageId)).state === 'failed')
  const { decision } = await told(messageId)
  assert.equal(decision.why, "held until its validity was over, by its sender's limit (guard slow)")
  assert.match(decision.next, /guard list/)
})
