// `clock advance 45d`: when it has answered, all that fell due has happened, in the order of its time; what is signed still holds.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, lease, own, ready, refused } from './harness.mjs'

const DAY = 86400
const numbers = new PhoneNumbersClient(connectionString), sms = new SmsClient(connectionString)
const ctl = (...words) => execFileSync(process.env.CARTERFONE, ['--data', process.env.CARTERFONE_DATA, ...words], { encoding: 'utf8', stdio: 'pipe' })
const history = (number) => JSON.parse(ctl('numbers', 'history', number, '--json'))
const search = async () => (await numbers.beginSearchAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 })).pollUntilDone()
const release = async (number) => (await numbers.beginReleasePhoneNumber(number)).pollUntilDone()
const hosted = { type: 'geographic', areaCode: '206', calling: 'inbound+outbound', assignment: 'person' }
const usage = async (number) => {
  const { productTime } = await own('GET', 'clock'), year = Number(productTime.slice(0, 4))
  return (await own('GET', `usage?from=${year - 1}-01-01&to=${year + 2}-01-01`)).value.filter((r) => r.number === number)
}

test('holds, quarantine, renewals, event back-off: done in due order before the answer', async (t) => {
  const hook = await endpoint(t)
  const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' }), gone = await lease(numbers, hosted)
  await release(gone)
  const { productTime: start } = await own('GET', 'clock')
  await own('POST', 'clock/:advance', { seconds: 31 * DAY })       // its month is over, its quarantine begins
  assert.deepEqual(history(gone).map((h) => h.what), ['quarantined', 'released', 'leased'])
  const alsoGone = await lease(numbers, hosted)
  await release(alsoGone)
  const held = await search()
  await own('POST', 'eventSubscriptions', { endpointUrl: hook.url, name: 'away', eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] })
  const { id: fault } = await own('POST', 'faults', { fault: 'webhook refused subscription=away count=3' })
  const [{ messageId }] = await sms.send({ from, to: ['+12065550110'], message: 'late news' }, { enableDeliveryReport: true })
  const hits = async () => (await own('GET', 'faults')).value.find((f) => f.id === fault).hits
  await eventually('its first try', hits)

  const moved = await own('POST', 'clock/:advance', { seconds: 45 * DAY })
  // nothing below waits for what the clock alone decides
  assert.ok(moved.fired > 3)
  const late = await numbers.beginPurchasePhoneNumbers(held.searchId).then((p) => p.pollUntilDone()).then(() => null, (e) => e)
  assert.match(late?.message ?? '', /held until|cannot be found/, 'the hold is over')
  assert.equal(history(gone)[0].what, 'freed', 'the quarantined number is nobody\'s')
  const story = history(alsoGone)
  assert.deepEqual(story.map((h) => h.what), ['quarantined', 'released', 'leased'], 'released in between: its cycle is over, its quarantine is not')
  const between = Date.parse(story[0].at), now = Date.parse(moved.productTime)
  assert.ok(between > Date.parse(story[1].at) && between < now, 'at its own time, not at the time of the command')
  const months = await usage(from)
  assert.ok(months.filter((r) => r.kind === 'lease' || r.part !== undefined).length >= 3)
  const leases = months.filter((r) => r.until).sort((a, b) => a.part - b.part)
  for (let i = 1; i < leases.length; i++) assert.equal(leases[i].time, leases[i - 1].until, 'each month from the end of the one before')
  assert.deepEqual(leases.map((r) => r.time), [...leases.map((r) => r.time)].sort())
  assert.ok(Date.parse(leases.at(-1).until) > now && Date.parse(leases[0].time) <= Date.parse(start))
  assert.ok(await hits() >= 2, 'the endpoint was asked again')

  for (let i = 0; i < 5 && !hook.events.length; i++) await own('POST', 'clock/:advance', { seconds: 3600 })
  const delivered = await hook.event('SMSDeliveryReportReceived', (data) => data.messageId === messageId).catch(() => null)
  assert.ok(delivered || now - Date.parse(start) > 24 * 3600e3, 'delivered, or given up after a day')
})

test('an SMS that its carrier put off is tried again when its time has come, by the clock that was moved', async () => {
  const from = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' }), to = '+12065550110'
  const { id: fault } = await own('POST', 'faults', { fault: `smsc reject code=8 to=${to}` })
  const [{ messageId }] = await sms.send({ from, to: [to], message: 'put off' }, { enableDeliveryReport: true })
  const message = () => own('GET', `messages/${messageId}`)
  const tries = async () => (await own('GET', `explain/${messageId}`)).lines.filter((l) => /refused it: submit_sm_resp command_status 0x00000008/.test(l.text)).length
  const waits = async (n) => await tries() === n && (await message()).state === 'queued'
  await eventually('a wait for the next try', () => waits(1), 20000)
  await own('POST', 'clock/:advance', { seconds: 600 })            // longer than any wait between two tries
  await eventually('the next try, which fails as well', () => waits(2), 20000)
  await own('DELETE', `faults/${fault}`)
  await own('POST', 'clock/:advance', { seconds: 600 })
  await eventually('it to be delivered', async () => (await message()).state === 'delivered')
})

test('signatures, TLS and what they prove know nothing of it', async () => {
  const { productTime, offsetSeconds } = await own('GET', 'clock')
  assert.ok(offsetSeconds >= 76 * DAY - 5)
  const answer = await fetch(`${ready.api}/healthz`)                // TLS is verified
  assert.ok(Math.abs(Date.parse(answer.headers.get('date')) - Date.now()) < 60000)
  assert.ok(Date.parse(productTime) > Date.now() + 75 * DAY * 1000)
  const [one] = await sms.send({ from: await lease(numbers, { areaCode: '855', sms: 'outbound' }), to: ['+12065550110'], message: 'still signed' })
  assert.ok(one.successful)
  await refused(() => new SmsClient(connectionString.replace(/accesskey=.*/, 'accesskey=AAAA')).send({ from: '+18335550100', to: ['+12065550110'], message: 'x' }), 401)
  const token = ctl('token', '--operator').trim()
  const listed = await fetch(`${ready.api}/subscriptions?api-version=2025-05-01`, { headers: { authorization: `Bearer ${token}` } })
  assert.notEqual(listed.status, 401)
})

test('clock show, and what is no time to advance by', async () => {
  assert.match(ctl('clock', 'show'), /clock +virtual/)
  for (const seconds of [0, -1, 1e12, 'soon']) {
    const e = await own('POST', 'clock/:advance', { seconds }).then(() => assert.fail(`${seconds}`), (e) => e)
    assert.deepEqual([e.statusCode, e.error.target], [400, 'seconds'])
  }
  assert.throws(() => ctl('clock', 'advance', 'fortnight'), (e) => e.status === 2)
  assert.throws(() => ctl('clock', 'advance', '0s'), (e) => e.status === 1)
})
