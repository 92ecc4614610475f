// The service's own quotas, one switch away: 5 searches a week, 1 purchase, 200 texts a minute.
// serve: --quotas service
import assert from 'node:assert/strict'
import test from 'node:test'
import { key, own, signed } from './harness.mjs'

const v = 'api-version=2025-06-01'
const search = () => signed(key, 'POST', `/availablePhoneNumbers/countries/US/:search?${v}`,
  { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' } })
const refused = async (answer) => {
  assert.equal(answer.status, 429)
  const { error } = await answer.json()
  assert.deepEqual([error.code, error.innererror.code], ['TooManyRequests', 'QuotaExceeded'])
  return Number(answer.headers.get('retry-after'))
}

test('the sixth search is 429 until the first is a week old, and the second purchase for ever', async () => {
  const ids = []
  for (let i = 0; i < 5; i++) {
    const answer = await search()
    assert.equal(answer.status, 202)
    ids.push(answer.headers.get('search-id'))
  }
  const wait = await refused(await search())
  assert.ok(wait > 7 * 86400 - 60 && wait <= 7 * 86400, `${wait}`)
  const buy = (searchId) => signed(key, 'POST', `/availablePhoneNumbers/:purchase?${v}`, { searchId })
  assert.equal((await buy(ids[0])).status, 202)
  assert.equal((await buy(ids[0])).status, 202)                 // the same again
  assert.equal(await refused(await buy(ids[1])), 1)
  await own('POST', 'clock/:advance', { seconds: wait })
  assert.equal((await search()).status, 202)
})

test('a number texts 200 times a minute; what does not fit whole is 429, and nothing of it is sent', async () => {
  const from = (await (await signed(key, 'GET', `/phoneNumbers?${v}`)).json()).phoneNumbers[0].phoneNumber
  const send = (n) => signed(key, 'POST', '/sms?api-version=2021-03-07', { from, message: 'hello',
    smsRecipients: Array.from({ length: n }, (_, i) => ({ to: `+120655501${String(i % 50).padStart(2, '0')}` })) })
  for (const n of [100, 60]) assert.equal((await send(n)).status, 202)
  const before = (await own('GET', 'messages')).value.length
  const wait = await refused(await send(41))
  assert.ok(wait >= 50 && wait <= 60, `${wait}`)
  assert.equal((await own('GET', 'messages')).value.length, before)
  assert.equal((await send(40)).status, 202)
  await refused(await send(1))
  await own('POST', 'clock/:advance', { seconds: 60 })
  assert.equal((await send(100)).status, 202)
})

test('a limit that makes texts wait stands beside the quota: each counts for itself, and what one refuses does not count for the other', async (t) => {
  t.after(() => own('DELETE', 'smsGuards/slow'))
  await own('POST', 'clock/:advance', { seconds: 60 })
  const from = (await (await signed(key, 'GET', `/phoneNumbers?${v}`)).json()).phoneNumbers[0].phoneNumber
  await own('POST', 'smsGuards', { name: 'slow', kind: 'sender', match: from, count: 50, windowSeconds: 60 })
  const send = (n) => signed(key, 'POST', '/sms?api-version=2021-03-07', { from, message: 'hello',
    smsRecipients: Array.from({ length: n }, (_, i) => ({ to: `+120655501${String(i % 50).padStart(2, '0')}` })) })
  const taken = await (await send(100)).json()
  assert.equal((await send(60)).status, 202)
  for (let i = 0; i < 3; i++) await refused(await send(41))
  const second = await (await send(40)).json()
  const waiting = async (id) => (await own('GET', `messages/${id}`)).waiting
  const first = await waiting(taken.value[99].messageId), last = await waiting(second.value[39].messageId)
  assert.deepEqual([first.for, first.guard, last.for], ['sender', 'slow', 'sender'])
  const apart = (Date.parse(last.until) - Date.parse(first.until)) / 1000
  assert.ok(Math.abs(apart - 120) < 2, `${apart}`)            // 100 texts later at 50 a minute: what the quota refused took no place
  await refused(await send(1))                                   // what waits counts for the quota
})
