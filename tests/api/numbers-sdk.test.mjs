// Every public method of PhoneNumbersClient and SipRoutingClient, unmodified, over TLS. The last test fails when the package has
// a method that nothing here got an answer from: a newer version of it asks for a line in this file.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient, SipRoutingClient } from '@azure/communication-phone-numbers'
import { connectionString, key, own, randomUUID, ready, refused, signed } from './harness.mjs'
import { watch } from './exercised.mjs'

const declarations = (file) => new URL(file, import.meta.resolve('@azure/communication-phone-numbers'))
const watched = { PhoneNumbersClient: watch(PhoneNumbersClient, declarations('phoneNumbersClient.d.ts')),
  SipRoutingClient: watch(SipRoutingClient, declarations('sipRoutingClient.d.ts')) }

const client = new PhoneNumbersClient(connectionString)
const again = new PhoneNumbersClient(connectionString.match(/endpoint=([^;]*)/)[1], { key: key.toString('base64') }, { acceptLanguage: 'en-US' })
const sip = new SipRoutingClient(connectionString)
const all = async (listing) => { const items = []; for await (const item of listing) items.push(item); return items }
const tollFree = { countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
const local = { countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' } }
const available = (number) => ({ ...local, assignmentType: 'application', id: number.slice(1), phoneNumber: number })
const inside = (reservation) => Object.values(reservation.phoneNumbers)
const leased = async () => (await all(client.listPurchasedPhoneNumbers())).map((n) => n.phoneNumber)
const ask = (method, target) => signed(key, method, `${target}${target.includes('?') ? '&' : '?'}api-version=2025-06-01`)
const lease = async (what) => {
  const found = await (await client.beginSearchAvailablePhoneNumbers({ quantity: 1, ...what })).pollUntilDone()
  await (await client.beginPurchasePhoneNumbers(found.searchId)).pollUntilDone()
  return found.phoneNumbers[0]
}

test('a search is polled step by step, and its result is read by its id for as long as it is kept', async () => {
  const poller = await client.beginSearchAvailablePhoneNumbers({ ...tollFree, areaCode: '888', quantity: 3 })
  while (!poller.isDone()) await poller.poll()
  const found = poller.getResult()
  assert.equal(poller.getOperationState().isCompleted, true)
  assert.equal(found.phoneNumbers.length, 3)
  assert.deepEqual(found.cost, { amount: 2, currencyCode: 'USD', billingFrequency: 'monthly' })
  const result = await (await ask('GET', `/availablePhoneNumbers/searchResults/${found.searchId}`)).json()
  assert.deepEqual(result.phoneNumbers, found.phoneNumbers)
  assert.deepEqual([result.searchId, result.assignmentType, result.phoneNumberType, result.capabilities],
    [found.searchId, 'application', 'tollFree', { calling: 'none', sms: 'inbound+outbound' }])
  assert.equal((await ask('GET', `/phoneNumbers/operations/search_${found.searchId}`)).status, 200)
})

/** A poller's token as it was before the first poll was answered: what a program that stopped at the 202 has kept. */
function token(poller) {
  const { state } = JSON.parse(poller.toString())
  return JSON.stringify({ state: { config: state.config, isStarted: true } })
}

test('every kind of poller goes on from its token, in another client', async () => {
  const begun = await client.beginSearchAvailablePhoneNumbers({ ...tollFree, quantity: 1 })
  const found = await (await again.beginSearchAvailablePhoneNumbers({ ...tollFree, quantity: 1 }, { resumeFrom: token(begun) })).pollUntilDone()
  assert.deepEqual(found.phoneNumbers, (await begun.pollUntilDone()).phoneNumbers)
  const [number] = found.phoneNumbers
  const purchase = await client.beginPurchasePhoneNumbers(found.searchId)
  const bought = await (await again.beginPurchasePhoneNumbers(found.searchId, { resumeFrom: token(purchase) })).pollUntilDone()
  assert.equal(bought.body.status, 'succeeded')
  assert.equal(bought.body.operationType, 'purchase')
  const change = await client.beginUpdatePhoneNumberCapabilities(number, { calling: 'outbound' })
  const changed = await (await again.beginUpdatePhoneNumberCapabilities(number, { calling: 'outbound' }, { resumeFrom: token(change) })).pollUntilDone()
  assert.deepEqual({ ...changed.capabilities }, { calling: 'outbound', sms: 'inbound+outbound' })
  const release = await client.beginReleasePhoneNumber(number)
  const released = await (await again.beginReleasePhoneNumber(number, { resumeFrom: token(release) })).pollUntilDone()
  assert.equal(released.body.operationType, 'releasePhoneNumber')
  const id = randomUUID()
  await client.createOrUpdateReservation({ reservationId: id }, { add: [available('+14255553001')] })
  const reserved = await client.beginReservationPurchase(id)
  const owned = await (await again.beginReservationPurchase(id, { resumeFrom: token(reserved) })).pollUntilDone()
  assert.equal(owned.body.operationType, 'reservationPurchase')
  assert.ok((await leased()).includes('+14255553001'))
})

test('a purchase asked for twice is one purchase', async () => {
  const found = await (await client.beginSearchAvailablePhoneNumbers({ ...tollFree, quantity: 2 })).pollUntilDone()
  const [a, b] = await Promise.all([1, 2].map(async () => (await client.beginPurchasePhoneNumbers(found.searchId)).pollUntilDone()))
  const third = await (await client.beginPurchasePhoneNumbers(found.searchId)).pollUntilDone()
  assert.equal(a.body.id, b.body.id)
  assert.equal(a.body.id, third.body.id)
  assert.equal((await leased()).filter((n) => found.phoneNumbers.includes(n)).length, 2)
})

test('a number is leased, read, listed, changed and released', async () => {
  const number = await lease({ ...local, areaCode: '206' })
  const one = await client.getPurchasedPhoneNumber(number)
  assert.deepEqual([one.id, one.phoneNumber, one.countryCode, one.phoneNumberType, one.assignmentType], [number.slice(1), number, 'US', 'geographic', 'person'])
  assert.ok(one.purchaseDate instanceof Date)
  assert.deepEqual((await all(client.listPurchasedPhoneNumbers())).find((n) => n.phoneNumber === number), one)
  const changed = await (await client.beginUpdatePhoneNumberCapabilities(number, { calling: 'inbound' })).pollUntilDone()
  assert.deepEqual({ ...changed.capabilities }, { calling: 'inbound', sms: 'none' })
  const error = await refused(() => client.beginUpdatePhoneNumberCapabilities(number, { sms: 'outbound' }), 400)
  assert.equal(error.innererror.code, 'PlanWithoutSms')
  await (await client.beginReleasePhoneNumber(number)).pollUntilDone()
  assert.ok(!(await leased()).includes(number))
  await refused(() => client.beginReleasePhoneNumber(number), 404)
})

test('a canceled search holds nothing and cannot be bought; what is done stays done', async () => {
  const found = await (await client.beginSearchAvailablePhoneNumbers({ ...tollFree, quantity: 1 })).pollUntilDone()
  const operation = `/phoneNumbers/operations/search_${found.searchId}`
  assert.equal((await ask('DELETE', operation)).status, 204)
  assert.equal((await ask('DELETE', operation)).status, 204)
  assert.equal((await (await ask('GET', operation)).json()).status, 'canceled')
  assert.deepEqual((await (await ask('GET', `/availablePhoneNumbers/searchResults/${found.searchId}`)).json()).phoneNumbers, [])
  assert.equal((await refused(() => client.beginPurchasePhoneNumbers(found.searchId), 409)).innererror.code, 'SearchCanceled')
  const number = await lease(tollFree)
  const release = await client.beginReleasePhoneNumber(number)
  const { body } = await release.pollUntilDone()
  assert.equal((await ask('DELETE', `/phoneNumbers/operations/${body.id}`)).status, 204)
  assert.equal((await (await ask('GET', `/phoneNumbers/operations/${body.id}`)).json()).status, 'succeeded')
})

test('countries, places, area codes and offerings are listed, in pages that join up', async () => {
  assert.deepEqual(await all(again.listAvailableCountries()), [{ localizedName: 'United States', countryCode: 'US' }])
  const places = await all(client.listAvailableLocalities('US', { administrativeDivision: 'WA', phoneNumberType: 'geographic' }))
  assert.ok(places.some((p) => p.localizedName === 'Seattle') && places.every((p) => p.administrativeDivision.abbreviatedName === 'WA'))
  const whole = (await all(client.listAvailableGeographicAreaCodes('US', { assignmentType: 'person' }))).map((a) => a.areaCode)
  const small = []
  for await (const page of client.listAvailableGeographicAreaCodes('US', { assignmentType: 'person', maxPageSize: 50 }).byPage()) small.push(page)
  assert.ok(small.length > 5 && small.slice(0, -1).every((p) => p.length === 50), small.map((p) => p.length).join())
  assert.deepEqual(small.flat().map((a) => a.areaCode), whole)
  assert.equal(new Set(whole).size, whole.length)
  assert.deepEqual((await all(client.listAvailableGeographicAreaCodes('US', { locality: 'Seattle', administrativeDivision: 'WA' }))).map((a) => a.areaCode), ['206'])
  assert.deepEqual((await all(client.listAvailableTollFreeAreaCodes('US'))).map((a) => a.areaCode), ['800', '833', '844', '855', '866', '877', '888'])
  const offered = await all(client.listAvailableOfferings('US', { phoneNumberType: 'tollFree', assignmentType: 'application' }))
  assert.deepEqual(offered.map((o) => [o.phoneNumberType, o.availableCapabilities.sms, o.cost.amount]), [['tollFree', 'inbound+outbound', 2]])
})

test('numbers are browsed and reserved, some in vain, changed, bought, given back; a reservation ends', async () => {
  const shown = await client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'geographic' },
    { assignmentType: 'application', phoneNumberPrefixes: ['1253'], capabilities: { calling: 'inbound+outbound', sms: 'none' } })
  assert.ok(shown.phoneNumbers.length > 3)
  const [a, b, c, d] = shown.phoneNumbers, [first, second] = [randomUUID(), randomUUID()]
  const status = async (body, id) => (await signed(key, 'PATCH', `/availablePhoneNumbers/reservations/${id}?api-version=2025-06-01`, body,
    { 'content-type': 'application/merge-patch+json' })).status
  const made = await client.createOrUpdateReservation({ reservationId: first }, { add: [a, b] })
  assert.deepEqual(inside(made).map((n) => n.status), ['reserved', 'reserved'])
  const partly = await client.createOrUpdateReservation({ reservationId: second }, { add: [b, c] })
  assert.deepEqual(inside(partly).map((n) => [n.status, n.error?.code]).sort(), [['error', 'NumberNotAvailable'], ['reserved', undefined]])
  assert.equal(await status({ phoneNumbers: { [b.id]: b } }, second), 207)
  assert.equal(await status({ phoneNumbers: { [b.id]: null } }, second), 200)
  assert.equal(await status({ phoneNumbers: { [d.id]: d } }, randomUUID()), 201)
  assert.deepEqual(inside(await client.createOrUpdateReservation({ reservationId: first }, { add: [b], remove: [b.id] })).map((n) => n.phoneNumber), [a.phoneNumber])
  assert.deepEqual((await client.getReservation(second)).status, 'active')
  assert.ok((await all(client.listReservations())).some((r) => r.id === first))
  const { body } = await (await client.beginReservationPurchase(first, { agreeToNotResell: true })).pollUntilDone()
  assert.equal(body.status, 'succeeded')
  assert.ok((await leased()).includes(a.phoneNumber))
  await client.deleteReservation(second)
  await refused(() => client.getReservation(second), 404)
  const last = randomUUID()
  await client.createOrUpdateReservation({ reservationId: last }, { add: [c] })
  await own('POST', 'clock/:advance', { seconds: 15 * 60 })
  assert.equal((await client.getReservation(last)).status, 'expired')
  assert.equal((await refused(() => client.beginReservationPurchase(last), 409)).innererror.code, 'ReservationOver')
})

test('a reservation that is changed again and again ends after two hours all the same', async () => {
  const id = randomUUID(), numbers = Array.from({ length: 12 }, (_, i) => available(`+1360555${3000 + i}`))
  const { expiresAt } = await client.createOrUpdateReservation({ reservationId: id }, { add: [numbers[0]] })
  const made = expiresAt - 15 * 60000
  let over, last
  for (const number of numbers.slice(1)) {
    await own('POST', 'clock/:advance', { seconds: 14 * 60 })
    over = await client.createOrUpdateReservation({ reservationId: id }, { add: [number] }).then((r) => { last = r.expiresAt; return null }, (e) => e)
    if (over) break
  }
  assert.ok(Math.abs(last - made - 2 * 3600000) < 5000, `it lasted ${(last - made) / 60000} min`)
  assert.equal(over?.statusCode, 409)
  assert.equal((await client.getReservation(id)).status, 'expired')
})

test('what is known of one number', async () => {
  const number = await lease(tollFree)
  const { values } = await client.searchOperatorInformation([number], { includeAdditionalOperatorDetails: true })
  assert.deepEqual(values.map((v) => [v.phoneNumber, v.isoCountryCode, v.operatorDetails.name]), [[number, 'US', 'sim']])
})

test('trunks and routes: set, read, listed in their order, replaced, deleted; what is not valid changes nothing', async () => {
  const [one, two] = ['sbc1.contoso.com', 'sbc2.contoso.com']
  const route = (name, ...trunks) => ({ name, description: `route ${name}`, numberPattern: '^\\+1(2|4)[0-9]+$', trunks })
  assert.deepEqual(await all(sip.listTrunks()), [])
  assert.deepEqual(await sip.setTrunks([{ fqdn: two, sipSignalingPort: 5061 }, { fqdn: one, sipSignalingPort: 5062 }]),
    [{ fqdn: two, sipSignalingPort: 5061 }, { fqdn: one, sipSignalingPort: 5062 }])
  assert.deepEqual(await sip.setTrunk({ fqdn: one, sipSignalingPort: 5063 }), { fqdn: one, sipSignalingPort: 5063 })
  assert.deepEqual(await sip.getTrunk(one), { fqdn: one, sipSignalingPort: 5063 })
  await assert.rejects(sip.getTrunk('nobody.contoso.com'), { code: 'NotFound' })
  const routes = [route('z', two, one), route('a'), route('m', one)]
  assert.deepEqual((await sip.setRoutes(routes)).map((r) => ({ ...r })), routes)
  assert.deepEqual((await all(sip.listRoutes())).map((r) => r.name), ['z', 'a', 'm'])
  assert.deepEqual((await all(sip.listTrunks())).map((t) => t.fqdn), [two, one])
  for (const [call, rule] of [[() => sip.deleteTrunk(one), 'MissingTrunk'], [() => sip.setTrunk({ fqdn: 'a b', sipSignalingPort: 5061 }), 'InvalidTrunkFqdn'],
    [() => sip.setTrunk({ fqdn: one, sipSignalingPort: 0 }), 'InvalidTrunkPort'], [() => sip.setRoutes([route('z'), route('z')]), 'DuplicateRouteName']]) {
    const error = await refused(call, 422)
    assert.deepEqual([error.code, error.innererror.code], ['UnprocessableConfiguration', rule])
  }
  assert.deepEqual((await all(sip.listRoutes())).map((r) => r.name), ['z', 'a', 'm'])
  await sip.setRoutes([])
  await sip.deleteTrunk(one)
  await sip.deleteTrunk(one)
  assert.deepEqual((await all(sip.listTrunks())).map((t) => t.fqdn), [two])
})

test('mobile numbers have no area codes', async () => {
  assert.deepEqual(await all(client.listAvailableMobileAreaCodes('US')), [])
})

test('no public method of the SDK is left out', () => {
  assert.ok(ready.api.startsWith('https:'))
  assert.ok(watched.PhoneNumbersClient.names.length >= 19 && watched.SipRoutingClient.names.length >= 7)
  assert.deepEqual(watched.PhoneNumbersClient.missing(), [])
  assert.deepEqual(watched.SipRoutingClient.missing(), [])
})
