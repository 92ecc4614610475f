// Fifty clients want the last ten numbers of an area code, over HTTP, at the same time: ten get one each, and nobody gets two.
import assert from 'node:assert/strict'
import test from 'node:test'
import { key, signed } from './harness.mjs'

const VERSION = 'api-version=2025-06-01'
const POOL = 10000 - 102        // 555-0000 to 555-9999 without those that are never sold (docs/numbers.md)

const search = (quantity) => signed(key, 'POST', `/availablePhoneNumbers/countries/US/:search?${VERSION}`,
  { phoneNumberType: 'geographic', assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' }, areaCode: '307', quantity })
const purchase = (searchId) => signed(key, 'POST', `/availablePhoneNumbers/:purchase?${VERSION}`, { searchId })
const found = async (searchId) => (await (await signed(key, 'GET', `/availablePhoneNumbers/searchResults/${searchId}?${VERSION}`)).json()).phoneNumbers
const leased = async () => {
  const numbers = []
  for (let skip = 0; ; skip += 1000) {
    const page = await (await signed(key, 'GET', `/phoneNumbers?skip=${skip}&top=1000&${VERSION}`)).json()
    numbers.push(...page.phoneNumbers.map((n) => n.phoneNumber).filter((n) => n.startsWith('+1307')))
    if (!page.nextLink) return numbers
  }
}

test('of fifty clients, ten get the last ten numbers', async () => {
  for (let rest = POOL - 10; rest;) {
    const quantity = Math.min(rest, 1000), held = await search(quantity)
    assert.equal(held.status, 202)
    assert.equal((await purchase(held.headers.get('search-id'))).status, 202)
    rest -= quantity
  }
  const outcomes = await Promise.all(Array.from({ length: 50 }, async () => {
    const held = await search(1)
    if (held.status !== 202) return { status: held.status, error: (await held.json()).error }
    const searchId = held.headers.get('search-id'), bought = await purchase(searchId)
    return { status: bought.status, searchId, numbers: await found(searchId) }
  }))
  const lucky = outcomes.filter((o) => o.status === 202), others = outcomes.filter((o) => o.status !== 202)
  assert.equal(lucky.length, 10)
  assert.equal(new Set(lucky.flatMap((o) => o.numbers.map((n) => n.phoneNumber ?? n))).size, 10)
  assert.ok(others.every((o) => o.status === 400 && o.error.innererror.code === 'OutOfStock'), JSON.stringify(others[0]))
  const all = await leased()
  assert.equal(all.length, POOL)
  assert.equal(new Set(all).size, POOL)
})

test('of fifty purchases of one search, one operation comes', async () => {
  const held = await signed(key, 'POST', `/availablePhoneNumbers/countries/US/:search?${VERSION}`,
    { phoneNumberType: 'geographic', assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' }, areaCode: '208', quantity: 3 })
  const searchId = held.headers.get('search-id')
  const answers = await Promise.all(Array.from({ length: 50 }, () => purchase(searchId)))
  const taken = answers.filter((a) => a.status === 202), waiting = answers.filter((a) => a.status !== 202)
  assert.ok(taken.length >= 1)
  assert.equal(new Set(taken.map((a) => a.headers.get('purchase-id'))).size, 1)
  assert.ok(waiting.every((a) => a.status === 429 && a.headers.get('retry-after')), `${waiting[0]?.status}`)
})
