// Opt-outs by @azure/communication-sms 1.2.0-beta.4, unmodified: what an application records, what a phone records by STOP, and
// what a sender's list then says.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms-beta'
import { connectionString, eventually, key, lease, own, refused, resourceUnder, signed } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
const other = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
const [one, two, three] = ['+12065550111', '+12065550112', '+12065550113']
const listed = async (query = '') => own('GET', `optouts?from=${encodeURIComponent(from)}${query}`)
const outs = async (to) => (await sms.optOuts.check(from, to)).map((r) => r.isOptedOut)

test('who was added gets no message until it is removed, from this number alone', async () => {
  assert.deepEqual(await outs([one, two]), [false, false])
  const added = await sms.optOuts.add(from, [one, two])
  assert.deepEqual(added.map((r) => [r.to, r.httpStatusCode]), [[one, 200], [two, 200]])
  assert.deepEqual(await outs([one, two, three]), [true, true, false])

  const sent = await sms.send({ from, to: [one, three], message: 'to those who want it' })
  assert.deepEqual(sent.map((r) => r.httpStatusCode), [400, 202])
  assert.equal(sent[0].errorMessage, 'Sender blocked for given recipient.')
  assert.equal((await sms.send({ from: other, to: [one], message: 'another sender' }))[0].httpStatusCode, 202)

  const removed = await sms.optOuts.remove(from, [one])
  assert.deepEqual(removed.map((r) => [r.to, r.httpStatusCode]), [[one, 200]])
  assert.deepEqual(await outs([one, two]), [false, true])
  assert.equal((await sms.send({ from, to: [one], message: 'again' }))[0].httpStatusCode, 202)
})

test('twice is once, and a recipient that cannot be has its own 400', async () => {
  await sms.optOuts.add(from, [two])
  const mixed = await sms.optOuts.add(from, [two, 'nonsense', '+1425555012345'])
  assert.deepEqual(mixed.map((r) => r.httpStatusCode), [200, 400, 400])
  assert.equal(mixed[1].errorMessage, 'Invalid To phone number format.')
  assert.deepEqual((await sms.optOuts.remove(from, [three])).map((r) => r.httpStatusCode), [200])
  assert.deepEqual((await listed()).value.map((e) => e.to), [two])
})

test('STOP from a phone and the API write the same list', async () => {
  await own('POST', `handsets/${encodeURIComponent(three)}/:sms`, { to: from, text: ' stop ' })
  await eventually('the opt-out', async () => (await outs([three]))[0])
  const entry = (await listed()).value.find((e) => e.to === three)
  assert.ok(Math.abs(Date.parse(entry.optedOutOn) - Date.now()) < 60_000)
  await own('POST', `handsets/${encodeURIComponent(three)}/:sms`, { to: from, text: 'START' })
  await eventually('the end of it', async () => !(await outs([three]))[0])
})

test('a long list comes in pages, each entry once', async () => {
  const crowd = Array.from({ length: 100 }, (_, i) => `+1425555${String(1000 + i)}`)
  assert.ok((await sms.optOuts.add(from, crowd)).every((r) => r.httpStatusCode === 200))
  const seen = []
  for (let page = await listed('&top=30'); ; page = await own('GET', page.nextLink.replace('/carterfone/v1/', ''))) {
    seen.push(...page.value.map((e) => e.to))
    if (!page.nextLink) break
    assert.equal(page.value.length, 30)
  }
  assert.deepEqual(seen, [two, ...crowd].sort())
})

test('only the owner of the number may look or write, and the number must be one that texts', async () => {
  const stranger = await resourceUnder('optouts-stranger', { offer: 'payg', billingCountry: 'US' })
  const theirs = new SmsClient(stranger)
  for (const verb of ['add', 'remove', 'check'])
    assert.equal((await refused(() => theirs.optOuts[verb](from, [one]), 401)).innererror.code, 'SenderNotLeased')
  const local = await lease(numbers, { type: 'geographic', areaCode: '206', calling: 'inbound+outbound' })
  assert.equal((await refused(() => sms.optOuts.add(local, [one]), 400)).innererror.code, 'SmsNotAvailableForNumberType')
  const answer = await signed(key, 'GET', `/carterfone/v1/optouts?from=${encodeURIComponent('+18445550000')}`)
  assert.equal(answer.status, 404)
})

test('bad bodies are refused with what is wrong', async () => {
  const post = (body) => signed(key, 'POST', '/sms/optouts:add?api-version=2026-01-23', body)
  for (const [body, target] of [
    [{ recipients: [{ to: one }] }, 'from'],
    [{ from, recipients: [] }, 'recipients'],
    [{ from, recipients: Array(101).fill({ to: one }) }, 'recipients'],
    [{ from, recipients: 'all' }, 'recipients'],
    [{ from, recipients: [{ to: one }, {}] }, 'recipients[1]'],
  ]) {
    const answer = await post(body)
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 80))
    assert.equal((await answer.json()).error.target, target)
  }
})

test('a number that is given back takes its list with it', async () => {
  await sms.optOuts.add(other, [one])
  await (await numbers.beginReleasePhoneNumber(other)).pollUntilDone()
  await refused(() => sms.optOuts.check(other, [one]), 401)
})
