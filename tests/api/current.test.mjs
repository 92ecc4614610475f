// serve: --edition current
// Edition current as the official SDK sees it: countries, offerings, a number of another country from search to release; the planner.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, own, refused, resourceUnder } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const all = async (pages) => { const list = []; for await (const one of pages) list.push(one); return list }

test('every country that sells numbers is listed, and none with sender IDs alone', async () => {
  const codes = (await all(numbers.listAvailableCountries())).map((c) => c.countryCode).sort()
  assert.deepEqual(codes, ['AT', 'AU', 'BE', 'CA', 'CH', 'CN', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'LU', 'LV', 'NL', 'NO', 'NZ', 'PL', 'PR',
    'PT', 'SE', 'SG', 'SK', 'US'])
})

test('offerings are the rows of the table that a search can find, at the same price', async () => {
  const { value } = await own('GET', 'availability?country=GB')
  const rows = value.filter((r) => r.leasedBySearch)
  const offered = await all(numbers.listAvailableOfferings('GB'))
  assert.deepEqual(offered.map((o) => [o.phoneNumberType, o.assignmentType, o.availableCapabilities, Math.round(o.cost.amount * 1e6)]),
    rows.filter((r) => offered.some((o) => o.phoneNumberType === r.phoneNumberType)).map((r) => [r.phoneNumberType, r.assignmentType, r.availableCapabilities, r.monthlyMicroUsd]))
  assert.ok(offered.length >= 3)
  assert.deepEqual(value.filter((r) => !r.leasedBySearch).map((r) => r.phoneNumberType), ['shortCode', 'alphanumericId'])
})

test('a German number is found by its area code, bought and given back', async () => {
  const german = new PhoneNumbersClient(await resourceUnder('german', { offer: 'payg', billingCountry: 'DE' }))
  assert.deepEqual((await all(german.listAvailableGeographicAreaCodes('DE'))).map((a) => a.areaCode), ['30'])
  assert.deepEqual((await all(german.listAvailableLocalities('DE'))).map((l) => l.localizedName), ['Berlin'])
  const search = await (await german.beginSearchAvailablePhoneNumbers({ countryCode: 'DE', phoneNumberType: 'geographic', assignmentType: 'person',
    capabilities: { calling: 'inbound+outbound', sms: 'none' }, areaCode: '30', quantity: 2 })).pollUntilDone()
  assert.equal(search.phoneNumbers.length, 2)
  assert.ok(search.phoneNumbers.every((n) => /^\+493012\d{4}$/.test(n)), search.phoneNumbers.join())
  assert.equal(search.cost.amount, 0.8)
  await (await german.beginPurchasePhoneNumbers(search.searchId)).pollUntilDone()
  const bought = await german.getPurchasedPhoneNumber(search.phoneNumbers[0])
  assert.equal(bought.countryCode, 'DE')
  for (const n of search.phoneNumbers) await (await german.beginReleasePhoneNumber(n)).pollUntilDone()
})

test('a number for own use is bought with the agreement alone, and not by a CSP', async () => {
  const italian = new PhoneNumbersClient(await resourceUnder('italian', { offer: 'payg', billingCountry: 'IT' }))
  const wish = { countryCode: 'IT', phoneNumberType: 'geographic', assignmentType: 'application', capabilities: { calling: 'outbound', sms: 'none' }, quantity: 1 }
  const found = await (await italian.beginSearchAvailablePhoneNumbers(wish)).pollUntilDone()
  assert.equal(found.isAgreementToNotResellRequired, true)
  const error = await refused(() => italian.beginPurchasePhoneNumbers(found.searchId), 400)
  assert.equal(error.innererror.code, 'AgreementNotToResellNeeded')
  await (await italian.beginPurchasePhoneNumbers(found.searchId, { agreeToNotResell: true })).pollUntilDone()
  const reseller = new PhoneNumbersClient(await resourceUnder('reseller', { offer: 'csp', billingCountry: 'IT' }))
  assert.equal((await refused(() => reseller.beginSearchAvailablePhoneNumbers(wish), 403)).innererror.code, 'OfferNotEligible')
})

test('who is billed elsewhere is told where one must be billed', async () => {
  const error = await refused(() => numbers.beginSearchAvailablePhoneNumbers({ countryCode: 'BE', phoneNumberType: 'geographic', assignmentType: 'person',
    capabilities: { calling: 'outbound', sms: 'none' }, quantity: 1 }), 403)
  assert.equal(error.innererror.code, 'BillingCountryNotEligible')
  assert.match(error.message, /billed in: BE/)
})

test('the planner answers with sender types, set-up and registration, and never an account what it may not buy as the nearest', async () => {
  const plan = await own('GET', 'plan?for=application&country=GB&sms=outbound&messages=1000')
  assert.deepEqual(plan.fits.map((f) => f.phoneNumberType), ['alphanumericId', 'mobile', 'shortCode'])
  const id = plan.fits[0]
  assert.equal(id.registration, 'sender ID registration')
  assert.equal(id.search, null)
  assert.equal(id.monthly.microUsd, 1000 * 40000)
  const tenDlc = (await own('GET', 'plan?for=application&country=US&sms=both&calling=both')).fits.find((f) => f.phoneNumberType === 'tenDlc')
  assert.equal(tenDlc.monthly.setupMicroUsd, 4000000)
  assert.ok(tenDlc.monthly.lines.some((l) => l.what === 'campaign' && l.microUsd === 10000000))
  const belgian = await own('GET', 'plan?for=person&country=BE&calling=outbound&account=default')
  assert.equal(belgian.possible, false)
  assert.equal(belgian.fits[0].account.rule, 'BillingCountryNotEligible')
  assert.match(belgian.nearest.change, /^in [A-Z]{2}/)
  assert.equal(belgian.nearest.parts[0].account.mayBuy, true)
})
