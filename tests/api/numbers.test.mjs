// Phone numbers by @azure/communication-phone-numbers, unmodified, over TLS: edition 2020-10 and its rules.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, envelope, own, refused, resourceUnder, signed } from './harness.mjs'

const client = new PhoneNumbersClient(connectionString)
const tollFree = { countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
const local = { countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'application', capabilities: { calling: 'inbound+outbound', sms: 'none' } }
const search = async (client, what) => (await client.beginSearchAvailablePhoneNumbers(what)).pollUntilDone()
const buy = async (client, searchId) => (await client.beginPurchasePhoneNumbers(searchId)).pollUntilDone()
const all = async (pages) => { const items = []; for await (const item of pages) items.push(item); return items }

test('a toll-free number is found, bought, listed, changed and released', async () => {
  const found = await search(client, { ...tollFree, areaCode: '833', quantity: 1 })
  assert.equal(found.phoneNumbers.length, 1)
  const [number] = found.phoneNumbers
  assert.match(number, /^\+1833\d{7}$/)
  assert.equal(found.cost.billingFrequency, 'monthly')
  assert.equal(found.cost.currencyCode, 'USD')
  const minutes = (new Date(found.searchExpiresBy) - Date.now()) / 60000
  assert.ok(minutes > 13 && minutes < 17, `held for ${minutes} min`)

  await buy(client, found.searchId)
  const owned = await client.getPurchasedPhoneNumber(number)
  assert.equal(owned.id, number.slice(1))
  assert.equal(owned.phoneNumberType, 'tollFree')
  assert.deepEqual({ ...owned.capabilities }, { calling: 'none', sms: 'inbound+outbound' })
  assert.ok((await all(client.listPurchasedPhoneNumbers())).some((n) => n.phoneNumber === number))

  const changed = await (await client.beginUpdatePhoneNumberCapabilities(number, { sms: 'outbound' })).pollUntilDone()
  assert.equal(changed.capabilities.sms, 'outbound')
  assert.equal((await client.getPurchasedPhoneNumber(number)).capabilities.sms, 'outbound')

  await (await client.beginReleasePhoneNumber(number)).pollUntilDone()
  assert.ok(!(await all(client.listPurchasedPhoneNumbers())).some((n) => n.phoneNumber === number))
})

test('a local number in 206 is found and bought', async () => {
  const found = await search(client, { ...local, areaCode: '206', quantity: 1 })
  assert.match(found.phoneNumbers[0], /^\+1206555\d{4}$/)
  await buy(client, found.searchId)
  const owned = await client.getPurchasedPhoneNumber(found.phoneNumbers[0])
  assert.equal(owned.phoneNumberType, 'geographic')
  assert.equal(owned.countryCode, 'US')
})

test('several numbers are held at once and none is offered twice', async () => {
  const [a, b] = await Promise.all([search(client, { ...local, areaCode: '425', quantity: 10 }), search(client, { ...local, areaCode: '425', quantity: 10 })])
  assert.equal(a.phoneNumbers.length, 10)
  assert.equal(new Set([...a.phoneNumbers, ...b.phoneNumbers]).size, 20)
})

test('the list of leased numbers comes in pages', async () => {
  const found = await search(client, { ...local, areaCode: '303', quantity: 205 })    // the client asks for 100 a page
  await buy(client, found.searchId)
  const before = await all(client.listPurchasedPhoneNumbers())
  const pages = []
  for await (const page of client.listPurchasedPhoneNumbers().byPage()) pages.push(page)
  assert.ok(pages.length >= 3 && pages.every((p) => p.length <= 100))
  assert.deepEqual(pages.flat().map((n) => n.phoneNumber), before.map((n) => n.phoneNumber))
  for (const number of found.phoneNumbers) assert.ok(before.some((n) => n.phoneNumber === number))
})

test('countries, area codes, localities and offerings are those of the edition', async () => {
  assert.deepEqual((await all(client.listAvailableCountries())).map((c) => c.countryCode), ['US'])
  const free = (await all(client.listAvailableTollFreeAreaCodes('US'))).map((a) => a.areaCode)
  assert.ok(free.includes('833') && free.includes('800') && !free.includes('206'))
  const localities = await all(client.listAvailableLocalities('US'))
  const seattle = localities.find((l) => l.localizedName === 'Seattle')
  assert.equal(seattle?.administrativeDivision.abbreviatedName, 'WA')
  const codes = (await all(client.listAvailableGeographicAreaCodes('US', { locality: 'Seattle', administrativeDivision: 'WA' }))).map((a) => a.areaCode)
  assert.ok(codes.includes('206'), codes.join())
  const offerings = await all(client.listAvailableOfferings('US'))
  assert.ok(offerings.some((o) => o.phoneNumberType === 'tollFree' && o.assignmentType === 'application'))
  assert.ok(!offerings.some((o) => o.phoneNumberType === 'tollFree' && o.assignmentType === 'person'))
  assert.ok(offerings.some((o) => o.phoneNumberType === 'geographic' && o.assignmentType === 'person'))
  for (const o of offerings.filter((o) => o.phoneNumberType === 'geographic')) assert.equal(o.availableCapabilities.sms, 'none')
})

test('a place whose name has a space is understood, signed as JavaScript signs it', async () => {
  const codes = (await all(client.listAvailableGeographicAreaCodes('US', { locality: 'New York', administrativeDivision: 'NY' }))).map((a) => a.areaCode)
  assert.ok(codes.includes('212'), codes.join())
})

test('a toll-free number for a person is refused', async () => {
  await refused(() => search(client, { ...tollFree, assignmentType: 'person', quantity: 1 }), 400)
})

test('a local number with SMS is refused', async () => {
  await refused(() => search(client, { ...local, capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 }), 400)
})

test('a country outside the edition is refused', async () => {
  await refused(() => search(client, { ...local, countryCode: 'GB', quantity: 1 }), 400)
})

for (const [what, terms] of [['a trial', { offer: 'trial', billingCountry: 'US' }], ['free credit', { offer: 'free-credit', billingCountry: 'US' }],
  ['a Canadian billing address', { offer: 'payg', billingCountry: 'CA' }]]) {
  test(`a number for ${what} is refused`, async () => {
    const poor = new PhoneNumbersClient(await resourceUnder(`t-${terms.offer}-${terms.billingCountry}`.toLowerCase(), terms))
    const error = await refused(async () => buy(poor, (await search(poor, { ...tollFree, quantity: 1 })).searchId), 403)
    assert.match(error.innererror.code, /\w/)
  })
}

test('an expired hold cannot be bought, and the answer names the time', async () => {
  const found = await search(client, { ...tollFree, quantity: 1 })
  await own('POST', 'clock/:advance', { seconds: 17 * 60 })
  const e = await buy(client, found.searchId).then(() => assert.fail('it was bought'), (e) => e)
  const error = e.statusCode ? envelope(e) : { code: e.message, message: e.message }
  assert.match(JSON.stringify(error), /ReservationExpired/)
  assert.match(JSON.stringify(error), /\d\d:\d\d/)
})

test('a number that is not leased is not found, in the service\'s words', async () => {
  const e = await client.getPurchasedPhoneNumber('+14155550100').then(() => assert.fail('found'), (e) => e)
  assert.equal(e.statusCode, 404)
  assert.equal(e.code, 'NotFound')
  assert.equal(e.message, 'Input phoneNumber +14155550100 cannot be found.')
})

test('a wrong key is denied', async () => {
  const stranger = new PhoneNumbersClient(connectionString.replace(/accesskey=.*/, `accesskey=${Buffer.alloc(32, 7).toString('base64')}`))
  const e = await stranger.getPurchasedPhoneNumber('+14155550100').then(() => assert.fail('let in'), (e) => e)
  assert.equal(e.statusCode, 401)
})

test('what is known of a number, one at a time', async () => {
  const found = await search(client, { ...tollFree, areaCode: '844', quantity: 1 })
  const [number] = found.phoneNumbers
  const { values: [plain] } = await client.searchOperatorInformation([number])
  assert.equal(plain.phoneNumber, number)
  assert.match(plain.nationalFormat, /^\(844\) 555-\d{4}$/)
  assert.match(plain.internationalFormat, /^\+1 844-555-\d{4}$/)
  assert.equal(plain.numberType, undefined)
  const { values: [whole] } = await client.searchOperatorInformation([number], { includeAdditionalOperatorDetails: true })
  assert.equal(whole.numberType, 'other')
  assert.equal(whole.isoCountryCode, 'US')
  assert.ok(whole.operatorDetails.name)
  const error = await refused(() => client.searchOperatorInformation([number, '+12065550100']), 400)
  assert.equal(error.code, 'BadRequest')
  assert.equal(error.message, 'Can only accept one phoneNumber')
})

test('what is published and not built answers 501 and says so', async () => {
  const key = Buffer.from(connectionString.match(/accesskey=(.*)/)[1], 'base64')
  const answer = await signed(key, 'GET', '/rooms?api-version=2025-03-13')
  assert.equal(answer.status, 501)
  assert.match((await answer.json()).error.message, /docs\/conformance\.md/)
})
