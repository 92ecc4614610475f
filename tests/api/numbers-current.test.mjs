// Edition current by @azure/communication-phone-numbers: whatever is offered anywhere can be found, bought, read and released.
// serve: --edition current
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, key, own, randomUUID, refused, resourceUnder } from './harness.mjs'

const client = new PhoneNumbersClient(connectionString)
const all = async (listing) => { const items = []; for await (const item of listing) items.push(item); return items }
const found = async (what, by = client) => (await by.beginSearchAvailablePhoneNumbers({ quantity: 1, ...what })).pollUntilDone()
const buy = async (searchId, agreeToNotResell, by = client) => (await by.beginPurchasePhoneNumbers(searchId, { agreeToNotResell })).pollUntilDone()
const italian = { countryCode: 'IT', phoneNumberType: 'geographic', assignmentType: 'application', capabilities: { calling: 'inbound+outbound', sms: 'none' } }
const countries = await all(client.listAvailableCountries())

test('countries are named in the language that is asked for', async () => {
  assert.ok(countries.length >= 20, `${countries.length} countries`)
  const german = new PhoneNumbersClient(connectionString.match(/endpoint=([^;]*)/)[1], { key: key.toString('base64') }, { acceptLanguage: 'de-DE' })
  const named = await all(german.listAvailableCountries())
  assert.equal(named.length, countries.length)
  assert.equal(named.find((c) => c.countryCode === 'DE').localizedName, 'Deutschland')
  assert.equal(countries.find((c) => c.countryCode === 'DE').localizedName, 'Germany')
})

/** A client of an account that may buy there: billed in the US where that will do. */
const clients = new Map([['US', client]])
async function buyerFor(billingCountries) {
  const country = billingCountries.includes('US') ? 'US' : billingCountries[0]
  if (!clients.has(country)) clients.set(country, new PhoneNumbersClient(await resourceUnder(`billed-${country.toLowerCase()}`, { offer: 'payg', billingCountry: country })))
  return clients.get(country)
}

test('each offering of each country is found, bought, read, listed and released', async () => {
  const { value: availability } = await own('GET', 'availability'), bought = []
  for (const { countryCode } of countries)
    for (const { phoneNumberType, assignmentType, availableCapabilities, cost } of await all(client.listAvailableOfferings(countryCode))) {
      const what = `${countryCode} ${phoneNumberType} ${assignmentType}`
      const row = availability.find((r) => r.countryCode === countryCode && r.phoneNumberType === phoneNumberType && r.assignmentType === assignmentType)
      const by = await buyerFor(row.eligibility.billingCountries)
      const search = await found({ countryCode, phoneNumberType, assignmentType, capabilities: availableCapabilities }, by).catch((e) => assert.fail(`${what}: ${e.message}`))
      assert.deepEqual({ ...search.cost }, { ...cost }, what)
      await buy(search.searchId, true, by)
      const [number] = search.phoneNumbers, one = await by.getPurchasedPhoneNumber(number)
      assert.deepEqual([one.countryCode, one.phoneNumberType, one.assignmentType, { ...one.capabilities }], [countryCode, phoneNumberType, assignmentType, { ...availableCapabilities }], what)
      bought.push(number)
    }
  assert.ok(bought.length >= 60, `${bought.length} offerings`)
  assert.equal(new Set(bought).size, bought.length)
  const listed = []
  for (const by of clients.values())
    for (const { phoneNumber } of await all(by.listPurchasedPhoneNumbers())) {
      listed.push(phoneNumber)
      await (await by.beginReleasePhoneNumber(phoneNumber)).pollUntilDone()
    }
  assert.deepEqual(listed.sort(), bought.sort())
  for (const by of clients.values()) assert.deepEqual(await all(by.listPurchasedPhoneNumbers()), [])
})

test('a number for own use only is bought by who says not to sell it on', async () => {
  const search = await found(italian)
  assert.equal(search.isAgreementToNotResellRequired, true)
  assert.equal((await refused(() => buy(search.searchId), 400)).innererror.code, 'AgreementNotToResellNeeded')
  await buy(search.searchId, true)

  const shown = await client.browseAvailablePhoneNumbers({ countryCode: 'IT', phoneNumberType: 'geographic' }, { assignmentType: 'application' })
  const [one] = shown.phoneNumbers, reservation = randomUUID()
  assert.equal(one.isAgreementToNotResellRequired, true)
  await client.createOrUpdateReservation({ reservationId: reservation }, { add: [one] })
  assert.equal((await refused(() => client.beginReservationPurchase(reservation), 400)).innererror.code, 'AgreementNotToResellNeeded')
  await (await client.beginReservationPurchase(reservation, { agreeToNotResell: true })).pollUntilDone()
  assert.equal((await client.getPurchasedPhoneNumber(one.phoneNumber)).countryCode, 'IT')
})
