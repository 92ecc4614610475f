// What a text would be before it is sent: the same segments, refusals and price as sending it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, key, lease, own, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
const preview = (body) => own('POST', 'messages/:preview', body)
const to = '+12065550114'

test('the encoding, and where the text is cut', async () => {
  const cases = [
    ['', 'GSM-7', 0, 1, 160], ['a'.repeat(160), 'GSM-7', 160, 1, 0], ['a'.repeat(161), 'GSM-7', 161, 2, 145],
    ['€'.repeat(80), 'GSM-7', 160, 1, 0], ['a'.repeat(152) + '€' + 'b', 'GSM-7', 155, 1, 5],
    ['ж'.repeat(70), 'UCS-2', 70, 1, 0], ['ж'.repeat(71), 'UCS-2', 71, 2, 63], ['😀'.repeat(35), 'UCS-2', 70, 1, 0],
    ['a'.repeat(66) + '😀' + 'b'.repeat(4), 'UCS-2', 72, 2, 61],
  ]
  for (const [message, encoding, units, segments, unitsLeft] of cases) {
    const p = await preview({ message })
    assert.deepEqual([p.encoding, p.units, p.segments, p.unitsLeft], [encoding, units, segments, unitsLeft], message.slice(-8))
    assert.equal(p.parts.map((x) => x.text).join(''), message)
    assert.equal(p.parts.reduce((sum, x) => sum + x.units, 0), units)
  }
  assert.deepEqual((await preview({ message: 'ünï ж 😀 ж' })).outsideGsm7, ['ï', 'ж', '😀'])
})

test('it says of each recipient what sending says, and charges what sending charges', async () => {
  const message = `${'x'.repeat(200)} preview`
  const list = [to, '+14165550100', 'nonsense']
  const p = await preview({ from, to: list, message })
  const sent = await sms.send({ from, to: list, message })
  assert.equal(p.segments, 2)
  for (const [i, r] of sent.entries()) {
    assert.equal(p.recipients[i].accepted, r.successful)
    assert.equal(p.recipients[i].errorMessage, r.errorMessage)
  }
  const spent = await eventually('the charge', async () => {
    const { value } = await own('GET', 'usage?account=default&kind=smsOut')
    return value.length === p.segments && value.reduce((sum, u) => sum + u.microUsd, 0)
  })
  assert.ok(p.microUsd > 0)
  assert.equal(p.microUsd, spent)
  assert.equal(p.recipients[0].microUsd, spent)
})

test('a sender that cannot is refused as sending is, and bad questions are told what is wrong', async () => {
  for (const [body, status, target] of [
    [{ from: '+18445550000', to: [to], message: 'x' }, 401, 'from'], [{ to: [to], message: 'x' }, 400, 'to'],
    [{ from, to: to, message: 'x' }, 400, 'to'], [{ from, to: [1], message: 'x' }, 400, 'to'], [{ from }, 400, 'message'],
    [{ message: 'x'.repeat(2049) }, 400, 'message'],
  ]) {
    const answer = await signed(key, 'POST', '/carterfone/v1/messages/:preview', body)
    assert.equal(answer.status, status, JSON.stringify(body).slice(0, 60))
    assert.equal((await answer.json()).error.target, target)
  }
})

test('carterfone sms preview', async () => {
  const run = (...args) => promisify(execFile)(process.env.CARTERFONE, ['sms', 'preview', '--data', process.env.CARTERFONE_DATA, ...args])
  const { stdout } = await run('--from', from, '--to', to, 'жук '.repeat(20))
  assert.match(stdout, /UCS-2, 80 units, 67 a segment/)
  assert.match(stdout, /segments +2, room for 54 more units/)
  assert.match(stdout, /outside +ж у к/)
  assert.match(stdout, /\+12065550114 +\d+/)
})
