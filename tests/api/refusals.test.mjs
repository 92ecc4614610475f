// Every refusal of numbers, registrations, accounts, prices and direct routing, and of calls and messages for the sake of a number:
// what is asked -> status, code, rule, text, next step; and that it is kept. Code and texts are those of data/rules.csv, their places
// filled with what stands in the row. The last test fails when a rule has no row and no test elsewhere that names it.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import test, { after } from 'node:test'
import { endpoint, eventually, randomUUID } from './harness.mjs'
import { filled, rules } from './rules.mjs'
import { current, old, serverOf, stop } from './refusals/world.mjs'
import numberRows, { numbers } from './refusals/numbers.mjs'
import callRows, { calls } from './refusals/calls.mjs'
import accountRows from './refusals/accounts.mjs'
import briefRows from './refusals/briefs.mjs'
import importRows, { badRows, exhaustSorts, leaveOut } from './refusals/imports.mjs'
import routingRows from './refusals/routing.mjs'
import smscRows from './refusals/smsc.mjs'
import guardRows from './refusals/guards.mjs'
import faultRows from './refusals/faults.mjs'

after(stop)
const { toll, silent } = numbers
const table = [...numberRows, ...callRows, ...accountRows, ...briefRows, ...routingRows, ...smscRows, ...guardRows, ...faultRows, ...importRows]
/* These name the rule of what has words of its own already. */
const general = new Set(['RequestInvalid', 'NothingThere', 'AnotherWasFirst'])
const shown = new Set()

for (const [rule, status, args, input, target] of table) {
  test(`${rule}: ${String(input).replace(/\s+/g, ' ').slice(0, 100)}`, async () => {
    const known = rules.get(rule)
    assert.ok(known, `data/rules.csv has no rule ${rule}`)
    const answer = await input()
    const { error } = await answer.json()
    assert.equal(answer.status, status, JSON.stringify(error))
    assert.equal(error.innererror?.code, rule, JSON.stringify(error))
    assert.match(error.innererror.message, filled(known.next, args))
    if (!general.has(rule)) {
      assert.equal(error.code, known.code)
      assert.match(error.message, filled(known.text, args))
    }
    assert.ok(error.code && error.message)
    if (target instanceof RegExp) assert.match(error.target, target)
    else assert.equal(error.target, target)
    if (status === 429) assert.equal(answer.headers.get('retry-after'), '1')
    await serverOf(answer).kept(answer, error)
    shown.add(rule)
  })
}

/* -- refusals that are no answer of their own ---------------------------------------------------------------------------- */

test('one number of a reservation, one recipient of a message: refused beside the others that are not', async () => {
  const answer = await old.reserve(randomUUID(), { ...numbers.available(numbers.taken), ...numbers.available('+12065553005') })
  assert.equal(answer.status, 207)
  const inside = Object.values((await answer.json()).phoneNumbers), gone = inside.find((n) => n.phoneNumber === numbers.taken)
  assert.equal(gone.status, 'error')
  assert.equal(gone.error.code, 'NumberNotAvailable')
  assert.match(gone.error.message, filled(rules.get('NumberNotAvailable').text, [numbers.taken, 'geographic', 'US']))
  assert.equal(inside.find((n) => n.phoneNumber === '+12065553005').status, 'reserved')
  shown.add('NumberNotAvailable')

  const sent = await old.text(toll, ['+1425555012345', '+442071838750', '+19005550100', '+12065550101'])
  assert.equal(sent.status, 202)
  const { value: [invalid, abroad, closed, fine] } = await sent.json()
  assert.deepEqual([invalid, abroad, closed, fine].map((r) => r.httpStatusCode), [400, 400, 400, 202])
  assert.match(invalid.errorMessage, filled(rules.get('SmsDestinationInvalid').text))
  const both = (rule, args) => filled(`${rules.get(rule).text} ${rules.get(rule).next}`, args)
  assert.match(abroad.errorMessage, both('SmsDestinationNotAllowed', ['+442071838750', 'toll-free', 'US', '2020-10']))
  assert.match(closed.errorMessage, both('DestinationClosed', ['+19005550100']))
  shown.add('SmsDestinationInvalid').add('SmsDestinationNotAllowed')
})

test('rows that an import leaves out say why, in their order', async () => {
  const bad = await leaveOut()
  for (const [i, [rule, args, row]] of badRows.entries()) {
    assert.deepEqual([bad[i].line, bad[i].rule], [i + 3, rule], row)
    assert.match(bad[i].reason, filled(rules.get(rule).text, args))
    assert.match(bad[i].suggestion, filled(rules.get(rule).next, args))
    shown.add(rule)
  }
  const [last] = await exhaustSorts()
  assert.equal(last.rule, 'TooManySorts')
  shown.add('TooManySorts')
})

test('a message of a number that is not verified is taken, blocked, and says so', async () => {
  const { value: [sent] } = await (await current.text(calls.unverified)).json()
  assert.equal(sent.httpStatusCode, 202)
  const known = rules.get('TollFreeNotVerified'), args = [calls.unverified, 'unverified']
  const story = await eventually('the end of the message', async () => {
    const found = await current.own('GET', `explain/${sent.messageId}`)
    return found.state === 'failed' && found
  })
  const line = story.lines.findLast((l) => l.step === 'registration')
  assert.match(line.text, filled(`TollFreeNotVerified: ${known.text} ${known.next}`, args))
  shown.add('TollFreeNotVerified')
})

test('a kind of number that makes no calls says so in the planner', async () => {
  const { value } = await current.own('GET', 'price?to=%2B447700900123&from=mobile')
  const british = value.find((v) => v.countryCode === 'GB')
  assert.equal(british.call.rule, 'CallingNotAvailableForNumberType')
  assert.match(british.call.text, filled(rules.get('CallingNotAvailableForNumberType').text, ['mobile number', 'GB', 'current']))
  assert.ok(british.call.suggestion)
  shown.add('CallingNotAvailableForNumberType')
})

/** What the simulated network heard when `from` dialled `to`. */
async function dialled(from, to) {
  await old.own('POST', `handsets/${encodeURIComponent(from)}/:dial`, { to })
  const { lastCall } = await eventually('the end of the call', async () =>
    (await old.own('GET', 'handsets')).value.find((h) => h.number === from && h.lastCall?.endedAt))
  return [lastCall.sipStatus, lastCall.q850]
}

test('callers whom a number does not take are turned away', async () => {
  assert.deepEqual(await dialled('+12065550120', silent), [403, 21])
  assert.deepEqual(await dialled('+442071838750', toll), [403, 21])
  assert.deepEqual(await dialled('+12065550121', '+12065553333'), [404, 1])
  for (const rule of ['CallingNotInbound', 'CallOriginNotAllowed']) {
    assert.match(old.log(), new RegExp(`refused with 403: ${rule}`))
    shown.add(rule)
  }
})

test('texts that a number does not take are not received', async (t) => {
  const hook = await endpoint(t)
  await old.own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/in`, eventTypes: ['Microsoft.Communication.SMSReceived'] })
  const say = (from, to, text) => old.own('POST', `handsets/${encodeURIComponent(from)}/:sms`, { to, text })
  await old.change(silent, { sms: 'outbound' })
  await say('+12065550120', silent, 'not taken: no inbound SMS')
  await say('+442071838750', toll, 'not taken: from abroad')
  await say('+12065550120', toll, 'taken')
  await hook.event('SMSReceived', (data) => data.message === 'taken')
  assert.deepEqual(hook.events.map((e) => e.event.data.message), ['taken'])
  for (const rule of ['SmsNotInbound', 'SmsOriginNotAllowed']) {
    assert.match(old.log(), new RegExp(`not taken: ${rule}`))
    shown.add(rule)
  }
})

/* -- nothing is left out --------------------------------------------------------------------------------------------------- */

/* Rules that no request to a healthy server of a test can break: the test that does, and names each. */
const elsewhere = {
  SmscNotChangeable: 'tests/api/smscs.test.mjs',
  SmscBusy: 'tests/api/smscs.test.mjs',
  SmscHasNumbers: 'tests/api/smscs.test.mjs',
  SmscHasRoute: 'tests/api/smscs.test.mjs',
  SmscTestOtherSide: 'tests/api/smsc-test.test.mjs',
  RepeatabilityIdInvalid: 'tests/api/sms-repeat.test.mjs',
  RepeatabilityDateInvalid: 'tests/api/sms-repeat.test.mjs',
  RepeatabilityOutside: 'tests/api/sms-repeat.test.mjs',
  RepeatabilityMismatch: 'tests/api/sms-repeat.test.mjs',
  PumpingSuspected: 'tests/api/sms-guards.test.mjs',
  SmsLimitReached: 'tests/api/sms-guards.test.mjs',
  StoreBusy: 'tests/unit/domain/numbers/test_numbers_refusals.c',
  QuotaExceeded: 'tests/api/quotas.test.mjs',
  ResourceBeingDeleted: 'tests/unit/domain/accounts/test_accounts.c',
  CallingNotOutbound: 'tests/unit/domain/numbers/test_numbers.c',
  RestoreHeldUp: 'tests/api/snapshots.test.mjs',
  RealCarrierThere: 'tests/api/snapshots.test.mjs',
  RecipientOptedOut: 'tests/api/sms-carriers.test.mjs',
  SubmitInvalid: 'tests/smpp/esme.mjs',
}
const tree = (path) => new URL(`../../${path}`, import.meta.url)
const sources = readdirSync(tree('src/'), { recursive: true }).filter((f) => f.endsWith('.c')).map((f) => readFileSync(tree(`src/${f}`), 'utf8'))

test('every rule has a row, or a test elsewhere that names it', () => {
  const missing = []
  for (const name of rules.keys()) {
    const constant = `RULE_${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`
    if (!sources.some((text) => text.includes(constant))) continue          // nothing can refuse with it
    if (name === 'AnotherWasFirst') continue            // for a conflict that has no rule of its own: all known ones have
    const file = elsewhere[name] ? readFileSync(tree(elsewhere[name]), 'utf8') : ''
    const named = file.includes(`"${name}"`) || file.includes(`'${name}'`) || file.includes(constant)
    if (shown.has(name) === named) missing.push(name)
  }
  assert.deepEqual(missing, [], 'rules without a row in tests/api/refusals/ and a test in `elsewhere`, or with both')
})
