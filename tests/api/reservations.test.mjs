// Reservations by @azure/communication-phone-numbers, unmodified: made, changed, bought, given back, expired.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, own, randomUUID, refused, resourceUnder } from './harness.mjs'

const client = new PhoneNumbersClient(connectionString)
const all = async (pages) => { const items = []; for await (const item of pages) items.push(item); return items }
const local = (number) => ({ id: number.slice(1), phoneNumber: number, countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'application',
  capabilities: { calling: 'inbound+outbound', sms: 'none' } })
const reserve = (reservationId, add, remove) => client.createOrUpdateReservation({ reservationId }, { add, remove })
const inside = (reservation) => Object.values(reservation.phoneNumbers)

test('numbers are reserved, one is taken out, the rest is bought', async () => {
  const id = randomUUID()
  const made = await reserve(id, [local('+12065553001'), local('+12065553002')])
  assert.equal(made.id, id)
  assert.equal(made.status, 'active')
  const minutes = (made.expiresAt - (await client.getReservation(id)).expiresAt) / 60000
  assert.equal(minutes, 0)
  assert.deepEqual(inside(made).map((n) => n.status), ['reserved', 'reserved'])
  const [first, second] = inside(made)
  assert.notEqual(first.id, '12065553001')
  assert.equal(made.phoneNumbers[first.id].phoneNumber, first.phoneNumber)

  const changed = await reserve(id, [first], [first.id])      // taking out wins
  assert.deepEqual(inside(changed).map((n) => n.phoneNumber), [second.phoneNumber])

  const done = await (await client.beginReservationPurchase(id)).pollUntilDone()
  assert.ok(done)
  const bought = await client.getReservation(id)
  assert.equal(bought.status, 'completed')
  assert.deepEqual(inside(bought).map((n) => n.status), ['purchased'])
  assert.equal((await client.getPurchasedPhoneNumber(second.phoneNumber)).assignmentType, 'application')
  await refused(() => reserve(id, [local('+12065553003')]), 409)
})

test('what a browse shows is reserved as it is and bought', async () => {
  const shown = await client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'person',
    capabilities: { calling: 'outbound' }, phoneNumberPrefixes: ['425', '1206'] })
  assert.equal(shown.phoneNumbers.length, 100)
  assert.ok(shown.phoneNumbers.every((n) => /^\+1(425|206)555/.test(n.phoneNumber) && n.status === 'available' && n.capabilities.calling === 'inbound+outbound'))
  const again = await client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'geographic', assignmentType: 'person', phoneNumberPrefixes: ['425', '1206'] })
  assert.notDeepEqual(again.phoneNumbers.map((n) => n.id), shown.phoneNumbers.map((n) => n.id))
  const id = randomUUID(), [a, b, c] = shown.phoneNumbers
  const made = await reserve(id, [a, b, c], [c.id])
  assert.deepEqual(Object.keys(made.phoneNumbers).sort(), [a.id, b.id].sort())
  await (await client.beginReservationPurchase(id, { agreeToNotResell: true })).pollUntilDone()
  const owned = (await all(client.listPurchasedPhoneNumbers())).map((n) => n.phoneNumber)
  assert.ok(owned.includes(a.phoneNumber) && owned.includes(b.phoneNumber) && !owned.includes(c.phoneNumber))
  await refused(() => client.browseAvailablePhoneNumbers({ countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'person' }), 400)
})

test('a number that is gone stands in the reservation with an error', async () => {
  const [a, b] = [randomUUID(), randomUUID()]
  await reserve(a, [local('+12065553010')])
  const partly = await reserve(b, [local('+12065553010'), local('+12065553011')])
  const of = (number) => inside(partly).find((n) => n.phoneNumber === number)
  assert.equal(of('+12065553010').status, 'error')
  assert.equal(of('+12065553010').error.code, 'NumberNotAvailable')
  assert.equal(of('+12065553011').status, 'reserved')
  await client.deleteReservation(a)
  await refused(() => client.getReservation(a), 404)
  assert.ok(inside(await reserve(b, [local('+12065553010')])).every((n) => n.status === 'reserved'))
})

test('reservations are listed without their numbers, in pages', async () => {
  const ids = Array.from({ length: 105 }, () => randomUUID())
  await Promise.all(ids.map((id) => reserve(id, [])))
  const listed = await all(client.listReservations())
  for (const id of ids) assert.ok(listed.some((r) => r.id === id))
  assert.ok(listed.every((r) => r.phoneNumbers === undefined || inside(r).length === 0))
})

test('a reservation lasts a quarter of an hour and cannot be bought behind it', async () => {
  const id = randomUUID()
  await reserve(id, [local('+12065553020')])
  await own('POST', 'clock/:advance', { seconds: 15 * 60 })
  const over = await client.getReservation(id)
  assert.equal(over.status, 'expired')
  assert.deepEqual(inside(over).map((n) => n.status), ['expired'])
  const error = await refused(async () => (await client.beginReservationPurchase(id)).pollUntilDone(), 409)
  assert.equal(error.code, 'ReservationExpired')
  assert.ok(inside(await reserve(randomUUID(), [local('+12065553020')])).every((n) => n.status === 'reserved'))
})

test('a trial reserves nothing', async () => {
  const poor = new PhoneNumbersClient(await resourceUnder('reserving-trial', { offer: 'trial', billingCountry: 'US' }))
  await refused(() => poor.createOrUpdateReservation({ reservationId: randomUUID() }, { add: [local('+12065553030')] }), 403)
})
