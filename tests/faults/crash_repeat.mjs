// See test_crash_repeat.sh.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, keyOf, kill, newFolder, operatorKey, serve } from './server.mjs'

const folder = newFolder(), rounds = Number(process.env.ROUNDS ?? 2), phones = ['+12065550101', '+12065550102', '+12065550103']
let server = await serve(folder, 5)
const key = keyOf(server.ready.connectionString), operator = operatorKey(folder), version = 'api-version=2025-06-01'
const own = async (method, path, body) => (await ask(server, operator, method, `/carterfone/v1/${path}`, body)).json
const search = await ask(server, key, 'POST', `/availablePhoneNumbers/countries/US/:search?${version}`,
  { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 })
const id = search.headers['search-id']
const from = (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${id}?${version}`)).json.phoneNumbers[0]
assert.equal((await ask(server, key, 'POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: id })).status, 202)
const send = async (message, smsRecipients) => {
  const answer = await ask(server, key, 'POST', '/sms?api-version=2026-01-23', { from, message, smsRecipients })
  assert.equal(answer.status, 202, answer.text)
  return answer.json.value
}
const inbox = async (phone) => (await own('GET', `handsets/${encodeURIComponent(phone)}/inbox`)).value.map((m) => m.text)
const until = async (what, of) => {
  for (let waited = 0; !(await of()); waited += 20) {
    assert.ok(waited < 20000, what)
    await sleep(20)
  }
}

for (let round = 0; round < rounds; round++) {
  const text = `once ${randomUUID()}`
  const recipients = phones.map((to) => ({ to, repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() }))
  const first = await send(text, recipients)
  assert.ok(first.every((r) => r.successful && r.repeatabilityResult === 'accepted'))
  await until('all delivered', async () => (await own('GET', `messages?limit=${phones.length}`)).value.every((m) => m.state === 'delivered'))
  await kill(server)
  server = await serve(folder, 5)
  assert.deepEqual(await send(text, recipients), first)
  const other = await send(`${text}!`, recipients)
  assert.ok(other.every((r) => r.httpStatusCode === 400 && r.repeatabilityResult === 'rejected' && /used for another message/.test(r.errorMessage)), JSON.stringify(other))
  // the simulated network is new: what it gets now was submitted after the restart, in the order of acceptance
  await send(`after ${text}`, phones.map((to) => ({ to })))
  for (const phone of phones) {
    await until('the next one', async () => (await inbox(phone)).length)
    assert.deepEqual(await inbox(phone), [`after ${text}`])
  }
}
await kill(server)
rmSync(folder, { recursive: true, force: true })
console.log(`ok - ${rounds} times killed: the same again has the same ids, nothing went twice`)
