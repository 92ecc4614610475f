// Availability, price and plan: our own API over the catalogue, and that what a plan offers can be had with the SDK.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, key, own, resourceUnder, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const no = (promise) => promise.then(() => assert.fail('it was not refused'), (e) => e)

test('availability is the table of the edition', async () => {
  const { edition, value } = await own('GET', 'availability')
  assert.equal(edition, '2020-10')
  const local = { countryCode: 'US', phoneNumberType: 'geographic', availableCapabilities: { calling: 'inbound+outbound', sms: 'none' },
    callsTo: ['rated'], callsFrom: ['rated'], smsTo: [], smsFrom: [], monthlyMicroUsd: 1000000,
    eligibility: { paidOnly: true, offers: ['payg', 'ea', 'csp'], billingCountries: ['US'], ownUseOnly: false },
    registration: null, status: 'GA', leasedBySearch: true }
  assert.deepEqual(value, [
    { ...local, assignmentType: 'person' },
    { ...local, assignmentType: 'application' },
    { ...local, phoneNumberType: 'tollFree', assignmentType: 'application', monthlyMicroUsd: 2000000,
      availableCapabilities: { calling: 'inbound+outbound', sms: 'inbound+outbound' },
      callsTo: ['US'], callsFrom: ['US'], smsTo: ['US'], smsFrom: ['US'] },
  ])
})

test('availability can be narrowed, and says what it does not understand', async () => {
  const count = async (query) => (await own('GET', `availability?${query}`)).value.length
  assert.equal(await count('country=us'), 3)
  assert.equal(await count('country=CA'), 0)
  assert.equal(await count('for=person'), 1)
  assert.equal(await count('for=application&type=tollFree'), 1)
  assert.equal(await count('type=toll-free&for=person'), 0)
  for (const [query, target] of [['type=fax', 'type'], ['for=robot', 'for'], ['country=USA', 'country']]) {
    const e = await no(own('GET', `availability?${query}`))
    assert.equal(e.statusCode, 400)
    assert.equal(e.error.target, target)
  }
})

test('every offering of the API stands in the table with the same price', async () => {
  const { value } = await own('GET', 'availability?country=US')
  const offered = []
  for await (const o of numbers.listAvailableOfferings('US')) offered.push(o)
  assert.deepEqual(offered.map((o) => [o.phoneNumberType, o.assignmentType, o.availableCapabilities, Math.round(o.cost.amount * 1e6)]),
    value.map((r) => [r.phoneNumberType, r.assignmentType, r.availableCapabilities, r.monthlyMicroUsd]))
})

test('a price is by the longest prefix, and says which rule forbids the rest', async () => {
  const p = await own('GET', 'price?to=%2B442071838750')
  assert.equal(p.to, '+442071838750')
  assert.equal(p.countryCode, 'GB')
  const [person, , tollFree] = p.value
  assert.deepEqual(person.call, { allowed: true, prefix: '4420', destination: 'United Kingdom-London', destinationType: 'landline',
    microUsdPerStartedMinute: 15000, receiveMicroUsdPerStartedMinute: 8500, voipLegMicroUsdPerStartedMinute: 4000 })
  assert.equal(person.sms.rule, 'SmsNotAvailableForNumberType')
  assert.equal(tollFree.call.rule, 'CallDestinationNotAllowed')
  assert.equal(tollFree.sms.rule, 'SmsDestinationNotAllowed')
  const us = await own('GET', 'price?to=+12065550100&from=tollFree')        // an unescaped '+' is understood
  assert.deepEqual(us.value.map((v) => v.sms), [{ allowed: true, microUsdPerSegment: 10000, surchargeMicroUsd: 2500, receiveMicroUsdPerSegment: 8500 }])
  assert.equal(us.value[0].call.microUsdPerStartedMinute, 13000)
})

test('a number that nothing may reach is refused with its rule', async () => {
  for (const [query, status, rule] of [['to=%2B19005550100', 403, 'DestinationClosed'], ['to=%2B442071838750&from=toll-free', 403, 'CallDestinationNotAllowed'],
    ['to=%2B8835100012345', 403, 'NoRateForDestination'], ['to=12', 400, 'CallDestinationInvalid'], ['', 400, 'FieldNeeded'], ['to=%2B12065550100&from=fax', 400, 'PhoneNumberTypeUnknown']]) {
    const e = await no(own('GET', `price?${query}`))
    assert.equal(e.statusCode, status, query)
    assert.equal(e.error.innererror.code, rule, query)
  }
})

test('what a plan offers can be searched for as it says', async () => {
  for (const wish of ['for=person&calling=both', 'for=application&sms=outbound', 'for=application&calling=outbound&sms=inbound']) {
    const plan = await own('GET', `plan?${wish}`)
    assert.ok(plan.possible && plan.fits.length)
    for (const fit of plan.fits) {
      const search = await numbers.beginSearchAvailablePhoneNumbers({ countryCode: fit.countryCode, phoneNumberType: fit.phoneNumberType,
        assignmentType: fit.assignmentType, capabilities: fit.capabilities, quantity: 1 })
      const found = await search.pollUntilDone()
      assert.equal(Math.round(found.cost.amount * 1e6), fit.monthly.lines[0].microUsd)
    }
  }
})

test('a plan that cannot be met names each rule and the nearest that works', async () => {
  const plan = await own('GET', 'plan?for=person&calling=inbound%2Boutbound&sms=outbound&minutes=100&messages=100')
  assert.equal(plan.possible, false)
  assert.deepEqual(plan.fits, [])
  assert.deepEqual(plan.obstacles.map((o) => [o.phoneNumberType, o.rule]), [['geographic', 'PlanWithoutSms'], ['tollFree', 'TollFreeNotForPerson']])
  assert.match(plan.nearest.change, /^with two numbers/)
  assert.deepEqual(plan.nearest.parts.map((p) => [p.phoneNumberType, p.assignmentType, p.capabilities, p.monthly.microUsd]), [
    ['geographic', 'person', { calling: 'inbound+outbound', sms: 'none' }, 1000000 + 50 * 13000 + 50 * 8500 + 100 * 4000],
    ['tollFree', 'application', { calling: 'none', sms: 'outbound' }, 2000000 + 100 * 10000],
  ])
})

test('a resource plans for its own account, and sees no other', async () => {
  const poor = await resourceUnder('planner', { offer: 'trial', billingCountry: 'US' })
  const poorKey = Buffer.from(poor.match(/accesskey=(.*)/)[1], 'base64')
  const ask = async (k, query) => { const a = await signed(k, 'GET', `/carterfone/v1/plan?${query}`); return { status: a.status, body: await a.json() } }
  const its = await ask(poorKey, 'for=person')
  assert.equal(its.body.possible, false)
  assert.equal(its.body.fits[0].account.name, 'planner')
  assert.equal(its.body.fits[0].account.rule, 'TrialSubscriptionNotEligible')
  assert.equal((await ask(poorKey, 'for=person&account=default')).status, 404)
  assert.equal((await ask(key, 'for=person&account=default')).body.possible, true)
  assert.equal((await own('GET', 'plan?for=person&account=planner')).possible, false)
  assert.equal((await no(own('GET', 'plan?for=person&account=nobody'))).statusCode, 404)
})

test('a malformed wish is refused with the field at fault', async () => {
  for (const [query, target] of [['', 'for'], ['for=robot', 'for'], ['for=person&sms=often', 'sms'], ['for=person&calling=often', 'calling'],
    ['for=person&country=USA', 'country'], ['for=person&minutes=-1', 'minutes'], ['for=person&messages=x', 'messages'], ['for=person&to=12', 'to']]) {
    const e = await no(own('GET', `plan?${query}`))
    assert.equal(e.statusCode, 400, query)
    assert.equal(e.error.target, target, query)
  }
})
