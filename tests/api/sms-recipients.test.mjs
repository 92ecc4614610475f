// One recipient after another: what each is answered when a text is sent, and when it is put on a sender's list of opt-outs, taken from it
// or looked for. The first two texts are the service's own, word by word.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, key, lease, signed } from './harness.mjs'
import { rules } from './rules.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const INVALID = 'Invalid To phone number format.', BLOCKED = 'Sender blocked for given recipient.'
const abroad = (to) => `SMS to ${to} is not allowed: toll-free numbers text US only in edition 2020-10. Text a number in US.`
const closed = (to) => `${to} is a premium-rate number; those are closed as destinations. ${rules.get('DestinationClosed').next}`
const optedOut = '+12065550119'

const ask = async (path, body) => {
  const answer = await signed(key, 'POST', `${path}?api-version=2026-01-23`, body)
  return { status: answer.status, body: await answer.json() }
}
const optouts = async (verb, to) => ask(`/sms/optouts:${verb}`, { from, recipients: to.map((one) => ({ to: one })) })
const send = async (to) => ask('/sms', { from, message: 'one by one', smsRecipients: to.map((one) => ({ to: one })) })

/* recipient, what sending says of it (null: accepted), may it stand in a list of opt-outs */
const table = [
  ['+12065550100', null, true], ['+18005550100', null, true], [from, null, true],
  ['+', INVALID, false], ['5551234', INVALID, false], ['12065550100', INVALID, false], ['+1206555010', INVALID, false],
  ['+120655501001', INVALID, false], ['+1425555012345', INVALID, false], ['+12065550100 ', INVALID, false], [' +12065550100', INVALID, false],
  ['+1206-555-0100', INVALID, false], ['abc', INVALID, false], ['4:+12065550100', INVALID, false], ['12345', INVALID, false],
  ['+012065550100', INVALID, false], ['+11065550100', INVALID, false], ['+12061550100', INVALID, false], ['+2', INVALID, false],
  ['+999123456789', INVALID, false], ['\0', INVALID, false], ['+１２０６５５５０１００', INVALID, false],
  ['911', INVALID, false], ['+1911', INVALID, false], ['933', INVALID, false], ['112', INVALID, false], ['+44999', INVALID, false],
  ['+16045550100', abroad('+16045550100'), true], ['+17875550100', abroad('+17875550100'), true], ['+442071838750', abroad('+442071838750'), true],
  ['+19005550100', closed('+19005550100'), true], ['+12069760100', closed('+12069760100'), true],
  [optedOut, BLOCKED, true],
]
const all = table.map(([to]) => to)
const refusal = (to, errorMessage) => ({ to, httpStatusCode: 400, errorMessage, successful: false })

test('sending answers each recipient by itself, in the order of the request', async () => {
  assert.equal((await optouts('add', [optedOut])).status, 200)
  const { status, body } = await send(all)
  assert.equal(status, 202)
  assert.equal(body.value.length, table.length)
  for (const [i, [to, says]] of table.entries()) {
    const got = body.value[i]
    if (says) assert.deepEqual(got, refusal(to, says))
    else assert.deepEqual(got, { to, messageId: got.messageId, httpStatusCode: 202, repeatabilityResult: 'accepted', successful: true })
    assert.equal(Boolean(got.messageId), !says, to)
    assert.deepEqual((await send([to])).body.value.map((r) => r.errorMessage), [says ?? undefined], `${to} alone`)
  }
})

test('add, check and remove answer each recipient by itself', async () => {
  const good = table.filter(([, , may]) => may).map(([to]) => to)
  for (const [verb, more] of [['remove'], ['check', false], ['add'], ['check', true], ['add'], ['remove'], ['check', false]]) {
    const { status, body } = await optouts(verb, all)
    assert.equal(status, 200)
    assert.deepEqual(body.value, table.map(([to, , may]) => may ? { to, httpStatusCode: 200, ...more !== undefined && { isOptedOut: more } }
      : { to, httpStatusCode: 400, errorMessage: INVALID }), verb)
  }
  await optouts('add', good)
  assert.deepEqual((await send(good.slice(0, 3))).body.value, good.slice(0, 3).map((to) => refusal(to, BLOCKED)))
  await optouts('remove', good)
})

test('what is no recipient at all is refused with the whole request, and named', async () => {
  for (const [path, list, empty] of [['/sms', 'smsRecipients', true], ['/sms/optouts:add', 'recipients'], ['/sms/optouts:check', 'recipients'], ['/sms/optouts:remove', 'recipients']])
    for (const wrong of [{}, { to: 5 }, { to: null }, { to: 'a'.repeat(257) }, 'text', null, ...empty ? [] : [{ to: '' }]]) {
      const { status, body } = await ask(path, { from, message: 'x', [list]: [{ to: '+12065550100' }, wrong] })
      assert.equal(status, 400, `${path} ${JSON.stringify(wrong)}`)
      assert.equal(body.error.target, `${list}[1]`)
      assert.ok(body.error.message && body.error.innererror.code)
    }
  assert.deepEqual((await send([''])).body.value, [refusal('', INVALID)])
})
