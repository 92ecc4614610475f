// Repeatability of POST /sms, recipient by recipient: what may be sent again, what is rejected, with which status and words. Over a
// kill -9: tests/faults/test_crash_repeat.sh.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, eventually, key, lease, own, randomUUID, signed } from './harness.mjs'
import { rules } from './rules.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const to = '+12065550111', other = '+12065550112'
const fresh = () => ({ to, repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() })
const send = async (recipients, more = {}) => {
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', { from, message: 'again', smsRecipients: recipients, ...more })
  assert.equal(answer.status, 202)
  return (await answer.json()).value
}
const words = (rule) => `${rules.get(rule).text} ${rules.get(rule).next}`
const rejected = (r, status, rule) => assert.deepEqual(r, { to: r.to, httpStatusCode: status, repeatabilityResult: 'rejected', errorMessage: words(rule), successful: false })
const hours = (n) => new Date(Date.now() + n * 3600_000).toUTCString()

test('the same again, in any letter case, is the first message', async () => {
  const one = fresh()
  const [first] = await send([one])
  assert.deepEqual([first.httpStatusCode, first.repeatabilityResult, first.successful], [202, 'accepted', true])
  assert.deepEqual(await send([one]), [first])
  assert.deepEqual(await send([{ ...one, repeatabilityRequestId: one.repeatabilityRequestId.toUpperCase() }]), [first])
  await eventually('delivered', async () => (await own('GET', `messages/${first.messageId}`)).state === 'delivered')
  assert.deepEqual(await send([one]), [first], 'also when it has ended')
})

test('another message under an id that was used is rejected, and the first stands', async () => {
  const one = fresh(), again = `first ${randomUUID()}`
  const [first] = await send([one], { message: again })
  for (const [recipient, more] of [[one, { message: 'other' }], [{ ...one, to: other }, { message: again }],
    [one, { message: again, smsSendOptions: { enableDeliveryReport: true } }], [one, { message: again, smsSendOptions: { enableDeliveryReport: false, tag: 't' } }]])
    rejected((await send([recipient], more))[0], 400, 'RepeatabilityMismatch')
  assert.deepEqual(await send([one], { message: again }), [first])
  const both = await send([one, { ...fresh(), to: other }, { ...one, to: other }], { message: again })
  assert.deepEqual(both.map((r) => r.repeatabilityResult), ['accepted', 'accepted', 'rejected'])
  assert.equal(both[0].messageId, first.messageId)
})

test('a date that is none or outside the window, and an id that is no GUID, are rejected alone', async () => {
  const id = randomUUID
  const got = await send([
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: 'yesterday' },
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: new Date().toISOString() },
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: 5 },
    { to, repeatabilityRequestId: 'once', repeatabilityFirstSent: hours(0) },
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: hours(-24.1) },
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: hours(1) },
    { to, repeatabilityRequestId: id(), repeatabilityFirstSent: hours(-23.9) },
    { to, repeatabilityRequestId: id() },
    { to, repeatabilityFirstSent: 'yesterday' },
    { to, repeatabilityRequestId: null, repeatabilityFirstSent: null },
    { ...fresh(), to: '+1425' },
  ])
  for (const i of [0, 1, 2]) rejected(got[i], 400, 'RepeatabilityDateInvalid')
  rejected(got[3], 400, 'RepeatabilityIdInvalid')
  for (const i of [4, 5]) rejected(got[i], 412, 'RepeatabilityOutside')
  for (const i of [6, 7, 8, 9]) assert.equal(got[i].repeatabilityResult, 'accepted', i)
  assert.deepEqual(got[10], { to: '+1425', httpStatusCode: 400, errorMessage: 'Invalid To phone number format.', successful: false })
})

test('explain says of the request how many were a repetition or rejected', async () => {
  const one = fresh()
  await send([one])
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', { from, message: 'other', smsRecipients: [one] })
  await answer.text()
  const told = await eventually('its record', () => own('GET', `explain/${answer.headers.get('x-ms-request-id')}`).catch(() => false))
  assert.match(JSON.stringify(told), /1 of 1 recipients was refused: \+\d+: repeatabilityRequestId was used/)
})

test('after a day of the product clock the id is refused: whether it was sent may be forgotten by then', async () => {
  const one = fresh()
  const [first] = await send([one])
  await own('POST', 'clock/:advance', { seconds: 86400 - 120 })
  assert.deepEqual(await send([one]), [first])
  await own('POST', 'clock/:advance', { seconds: 180 })
  rejected((await send([one]))[0], 412, 'RepeatabilityOutside')
})
