// See test_crash_delete.sh.
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, kill, newFolder, operatorKey, serve } from './server.mjs'

const rounds = Number(process.env.ROUNDS ?? 6), most = Number(process.env.NUMBERS ?? 1000)
const folder = newFolder(), version = 'api-version=2025-06-01'
const what = { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' } }

let server = await serve(folder, 20)
const operator = operatorKey(folder)
const own = (method, path, body) => ask(server, operator, method, `/carterfone/v1/${path}`, body)

async function search(key, quantity) {
  const begun = await ask(server, key, 'POST', `/availablePhoneNumbers/countries/US/:search?${version}`, { ...what, quantity })
  assert.equal(begun.status, 202, begun.text)
  const id = begun.headers['search-id']
  return { id, numbers: (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${id}?${version}`)).json.phoneNumbers }
}

async function listed(key) {
  const found = []
  for (let skip = 0; ; skip += 100) {
    const page = await ask(server, key, 'GET', `/phoneNumbers?skip=${skip}&top=100&${version}`)
    assert.equal(page.status, 200, page.text)
    found.push(...page.json.phoneNumbers.map((n) => n.phoneNumber))
    if (!page.json.nextLink) return found
  }
}

/** A resource that leases, holds and listens. */
async function furnished(name) {
  assert.equal((await own('POST', 'resources', { name })).status, 201)
  const key = Buffer.from((await own('GET', `resources/${name}/keys`)).json.primaryKey, 'base64')
  const bought = await search(key, most)
  assert.equal((await ask(server, key, 'POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: bought.id })).status, 202)
  await search(key, 20)
  return { name, key, numbers: bought.numbers }
}

const seen = { whole: 0, ended: 0, answered: 0 }
for (let round = 1; round <= rounds; round++) {
  const it = await furnished(`doomed-${round}`)
  const victim = server
  const answer = own('DELETE', `resources/${it.name}`)
  await sleep(randomInt(0, 80))
  await kill(victim)
  const said = await answer
  server = await serve(folder, 20)
  let names
  for (let waited = 0; waited < 20000; waited += 50) {
    names = (await own('GET', 'resources')).json.value.filter((r) => r.name === it.name)
    if (!names.length || names[0].state === 'active') break
    await sleep(50)
  }
  if (names.length) {                   // it never began
    assert.equal(names[0].state, 'active', 'it is being deleted for ever')
    assert.notEqual(said?.status, 204)
    assert.deepEqual((await listed(it.key)).sort(), [...it.numbers].sort())
    seen.whole++
    assert.equal((await own('DELETE', `resources/${it.name}`)).status, 204)
  } else {
    seen[said?.status === 204 ? 'answered' : 'ended']++
  }
  assert.equal((await ask(server, it.key, 'GET', `/phoneNumbers?${version}`)).status, 401)
  // what it leased is nobody's, and waits for the end of its cycle: it can neither be listed nor reserved
  assert.equal((await own('POST', 'resources', { name: it.name })).status, 201)
  const heir = Buffer.from((await own('GET', `resources/${it.name}/keys`)).json.primaryKey, 'base64')
  assert.deepEqual(await listed(heir), [])
  const wish = Object.fromEntries(it.numbers.slice(0, 50).map((n) => [n.slice(1), { ...what, id: n.slice(1), phoneNumber: n, countryCode: 'US' }]))
  const reserved = await ask(server, heir, 'PATCH', `/availablePhoneNumbers/reservations/${randomUUID()}?${version}`, { phoneNumbers: wish })
  assert.equal(reserved.status, 207, reserved.text)
  for (const n of Object.values(reserved.json.phoneNumbers)) assert.equal(n.error?.code, 'NumberNotAvailable', JSON.stringify(n))
}
console.log(`# ${rounds} deletions of ${most} leases cut off: ${seen.whole} had not begun, ${seen.ended} went on to their end after the restart, ${seen.answered} were done before`)
await kill(server)
rmSync(folder, { recursive: true, force: true })
