// See test_crash_numbers.sh. ROUNDS rounds (default 4), WORKERS at once (default 24).
//
// Each worker keeps a diary: what it asked for, and what it was answered. After the restart the diary is compared with the server,
// then everything left in doubt is asked for again, as an SDK's retry would, and must be there once.
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, keyOf, kill, newFolder, operatorKey, serve } from './server.mjs'

const rounds = Number(process.env.ROUNDS ?? 4), workers = Number(process.env.WORKERS ?? 24)
const folder = newFolder(), version = 'api-version=2025-06-01', npa = '833'
const what = { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
const random = (list) => list[randomInt(list.length)]

let server = await serve(folder, workers * 2, ['--clock', 'virtual'])
const operator = operatorKey(folder)
const own = (method, path, body) => ask(server, operator, method, `/carterfone/v1/${path}`, body)
async function resource(name) {
  assert.equal((await own('POST', 'resources', { name, account: 'default' })).status, 201)
  return { name, key: Buffer.from((await own('GET', `resources/${name}/keys`)).json.primaryKey, 'base64') }
}
const owners = [{ name: 'default', key: keyOf(server.ready.connectionString) }, await resource('second')]
const counter = await resource('counter')
const as = (who, method, path, body) => ask(server, who.key, method, `${path}?${version}`, body)

/* -- the diary ----------------------------------------------------------------------------------------------------------- */

/** number -> { owner, state: 'leased' | 'released', doubt: what was asked and not answered } */
const numbers = new Map()
const operations = []           // { who, id }: each that was answered with 202
const holds = []                // searches and reservations: { who, id, numbers, reservation, bought: true | false | 'doubt' }

function started(who, answer) {
  operations.push({ who, id: answer.headers['operation-id'] })
}

function lease(who, list) {
  for (const n of list) {
    assert.notEqual(numbers.get(n)?.state, 'leased', `${n} was sold twice`)
    numbers.set(n, { owner: who, state: 'leased' })
  }
}

/* -- what a worker does: each step returns false when the server is gone ---------------------------------------------------- */

async function search(who) {
  const begun = await as(who, 'POST', '/availablePhoneNumbers/countries/US/:search', { ...what, areaCode: npa, quantity: randomInt(1, 4) })
  if (!begun) return null
  assert.equal(begun.status, 202, begun.text)
  started(who, begun)
  const id = begun.headers['search-id'], result = await as(who, 'GET', `/availablePhoneNumbers/searchResults/${id}`)
  if (!result) return null
  const hold = { who, id, numbers: result.json.phoneNumbers, bought: false }
  holds.push(hold)
  return hold
}

/** Numbers of its own choice, as a browse shows them. Another worker may be quicker: then they stand in it with an error. */
async function reserve(who) {
  const shown = await as(who, 'POST', '/availablePhoneNumbers/countries/US/:browse', { ...what, phoneNumberPrefixes: [`1${npa}`] })
  if (!shown) return null
  const hold = { who, id: randomUUID(), numbers: [], bought: false, reservation: true }, picked = Array.from({ length: 2 }, () => random(shown.json.phoneNumbers))
  const made = await as(who, 'PATCH', `/availablePhoneNumbers/reservations/${hold.id}`, { phoneNumbers: Object.fromEntries(picked.map((p) => [p.id, p])) })
  if (!made) return null
  assert.ok([201, 207].includes(made.status), made.text)
  hold.numbers = Object.values(made.json.phoneNumbers).filter((n) => n.status === 'reserved').map((n) => n.phoneNumber)
  holds.push(hold)
  return hold
}

async function buy(hold) {
  if (!hold.numbers.length) return true
  hold.bought = 'doubt'
  const answer = hold.reservation ? await as(hold.who, 'POST', `/availablePhoneNumbers/reservations/${hold.id}/:purchase`)
    : await as(hold.who, 'POST', '/availablePhoneNumbers/:purchase', { searchId: hold.id })
  if (!answer) return false
  assert.equal(answer.status, 202, answer.text)
  hold.bought = true
  started(hold.who, answer)
  lease(hold.who, hold.numbers)
  return true
}

async function touch(who, change) {
  const mine = [...numbers].filter(([, x]) => x.owner === who && x.state === 'leased' && !x.doubt)
  if (!mine.length) return true
  const [number, x] = random(mine)
  x.doubt = change
  const answer = change === 'release' ? await as(who, 'DELETE', `/phoneNumbers/${number}`)
    : await as(who, 'PATCH', `/phoneNumbers/${number}/capabilities`, { sms: change })
  if (!answer) return false
  assert.equal(answer.status, 202, answer.text)
  started(who, answer)
  x.doubt = null
  if (change === 'release') x.state = 'released'
  else x.sms = change
  return true
}

async function work(alive) {
  while (alive()) {
    const who = random(owners), dice = randomInt(10)
    const hold = dice < 5 ? await search(who) : dice < 7 ? await reserve(who) : undefined
    if (hold === null) return
    const fine = hold ? randomInt(5) === 0 || await buy(hold) : await touch(who, dice < 9 ? 'release' : random(['inbound', 'outbound', 'none']))
    if (!fine) return
  }
}

/* -- what must be true of the server afterwards ------------------------------------------------------------------------------- */

async function leased(who) {
  const list = new Map()
  for (let next = `/phoneNumbers?skip=0&top=1000&${version}`; next;) {
    const page = await ask(server, who.key, 'GET', next)
    for (const n of page.json.phoneNumbers) {
      assert.ok(!list.has(n.phoneNumber), `${n.phoneNumber} is listed twice`)
      list.set(n.phoneNumber, n)
    }
    next = page.json.nextLink
  }
  return list
}

/** Everything that can still be found in the area code, held and given back. */
async function available() {
  const found = [], searches = []
  for (;;) {
    const answer = await as(counter, 'POST', '/availablePhoneNumbers/countries/US/:search', { ...what, areaCode: npa, quantity: 1000 })
    if (answer.status !== 202) break
    const id = answer.headers['search-id']
    searches.push(id)
    found.push(...(await as(counter, 'GET', `/availablePhoneNumbers/searchResults/${id}`)).json.phoneNumbers)
  }
  for (const id of searches) assert.equal((await as(counter, 'DELETE', `/phoneNumbers/operations/search_${id}`)).status, 204)
  return found
}

/** What the server says of it, against what was answered; what was in doubt is settled by what is there. */
async function compare() {
  const lists = new Map(), owned = new Map()
  for (const who of owners) {
    lists.set(who, await leased(who))
    for (const n of lists.get(who).keys()) {
      assert.ok(!owned.has(n), `${n} has two owners`)
      owned.set(n, who)
    }
  }
  for (const hold of holds.filter((h) => h.bought === 'doubt')) {
    const there = hold.numbers.filter((n) => owned.get(n) === hold.who)
    assert.ok(there.length === 0 || there.length === hold.numbers.length, `half a purchase: ${there.length} of ${hold.numbers.length}`)
  }
  const doubtful = new Set(holds.filter((h) => h.bought === 'doubt').flatMap((h) => h.numbers))
  for (const [n, x] of numbers) {
    const got = lists.get(x.owner).get(n)
    if (x.doubt === 'release') continue
    assert.equal(Boolean(got), x.state === 'leased', `${n} is ${x.state}, and ${got ? 'listed' : 'not listed'}`)
    if (got && !x.doubt && x.sms) assert.equal(got.capabilities.sms, x.sms, n)
    if (got && x.doubt) assert.ok([x.sms ?? 'inbound+outbound', x.doubt].includes(got.capabilities.sms), n)
  }
  for (const n of owned.keys()) assert.ok(numbers.has(n) || doubtful.has(n), `${n} is leased and nobody bought it`)
}

async function operationsAreDone() {
  for (const { who, id } of operations) {
    const answer = await as(who, 'GET', `/phoneNumbers/operations/${id}`)
    assert.equal(answer.status, 200, `${id}: ${answer.text}`)
    assert.equal(answer.json.status, 'succeeded', id)
  }
}

/** As a client's retry: what was not answered is asked again, and is there once. */
async function askAgain() {
  for (const hold of holds.filter((h) => h.bought === 'doubt')) assert.ok(await buy(hold))
  for (const [n, x] of numbers) {
    if (!x.doubt) continue
    const answer = x.doubt === 'release' ? await as(x.owner, 'DELETE', `/phoneNumbers/${n}`) : await as(x.owner, 'PATCH', `/phoneNumbers/${n}/capabilities`, { sms: x.doubt })
    assert.ok(answer.status === 202 || (x.doubt === 'release' && answer.status === 404), answer.text)
    if (answer.status === 202) started(x.owner, answer)
    if (x.doubt === 'release') x.state = 'released'
    else x.sms = x.doubt
    x.doubt = null
  }
}

/** Every number of the area code is in exactly one place; when all holds have ended (those of answers that never came too), each is
 *  leased, released or free again. */
async function nothingIsLostOrDoubled(pool) {
  const held = holds.filter((h) => h.bought === false).flatMap((h) => h.numbers), sold = [...numbers.keys()]
  const places = [...await available(), ...held, ...sold]
  assert.equal(new Set(places).size, places.length, 'a number is in two places')
  const unknown = pool.length - places.length
  assert.ok(unknown >= 0 && unknown <= 3 * workers, `${unknown} numbers are nowhere`)
  assert.equal((await own('POST', 'clock/:advance', { seconds: 16 * 60 })).status, 200)
  const free = await available()
  assert.deepEqual([...free, ...sold].sort(), pool)
  for (const hold of holds) if (hold.bought === false) hold.bought = 'never'
  const count = (state) => sold.filter((n) => numbers.get(n).state === state).length
  return `${count('leased')} leased, ${count('released')} released, ${held.length} held, ${unknown} held for nobody, ${free.length} free`
}

/** Charges for leases: number -> the times of its months. */
async function leaseCharges() {
  const charges = new Map()
  for (let next = 'usage?from=2020-01-01&to=2040-01-01&limit=1000'; next;) {
    const page = await own('GET', next)
    assert.equal(page.status, 200, page.text)
    for (const c of page.json.value) if (c.kind === 'lease') charges.set(c.number, [...charges.get(c.number) ?? [], c.time])
    next = page.json.nextLink?.replace('/carterfone/v1/', '')
  }
  return charges
}

/** One charge for each month of a lease, however often its purchase was asked for and whatever died meanwhile. */
async function eachMonthIsChargedOnce(months) {
  const charges = await leaseCharges()
  for (const [n, x] of numbers) {
    const times = charges.get(n) ?? [], due = x.state === 'leased' ? months : 1
    assert.equal(times.length, due, `${n}, ${x.state}, is charged for ${times.length} months, not ${due}`)
    assert.equal(new Set(times).size, times.length, `a month of ${n} is charged twice`)
  }
  assert.equal(charges.size, numbers.size, 'a lease is charged that nobody bought')
}

/** Eleven weeks go by, and the server dies meanwhile: leases are renewed each month, what was released has been in quarantine and is
 *  free again. */
async function timeGoesBy(pool) {
  const now = async () => Date.parse((await own('GET', 'clock')).json.productTime), until = await now() + 77 * 86400e3
  const advance = async () => own('POST', 'clock/:advance', { seconds: Math.ceil((until - await now()) / 1000) })
  const first = advance()
  await sleep(randomInt(200))
  await kill(server)
  const finished = (await first.catch(() => null))?.status === 200
  server = await serve(folder, workers * 2, ['--clock', 'virtual'])
  if (await now() < until) assert.equal((await advance()).status, 200)
  const leased = [...numbers].filter(([, x]) => x.state === 'leased').map(([n]) => n)
  await compare()
  assert.deepEqual([...await available(), ...leased].sort(), pool)
  await eachMonthIsChargedOnce(3)
  console.log(`# eleven weeks later, killed ${finished ? 'behind' : 'meanwhile'}: ${leased.length} leases renewed, all others free`)
}

/* -- rounds ---------------------------------------------------------------------------------------------------------------------- */

const pool = (await available()).sort()
for (let round = 1; round <= rounds; round++) {
  let alive = true
  const victim = server, before = operations.length, at = before + randomInt(50, 500)
  const watch = setInterval(() => { if (operations.length >= at && alive) { alive = false; victim.child.kill('SIGKILL') } }, 1)
  await Promise.all(Array.from({ length: workers }, () => work(() => alive)))
  clearInterval(watch)
  await kill(victim)
  const doubts = holds.filter((h) => h.bought === 'doubt').length + [...numbers.values()].filter((x) => x.doubt).length
  server = await serve(folder, workers * 2, ['--clock', 'virtual'])
  await compare()
  await askAgain()
  await compare()
  await operationsAreDone()
  const places = await nothingIsLostOrDoubled(pool)
  await eachMonthIsChargedOnce(1)
  console.log(`# round ${round}: killed behind ${operations.length - before} operations, ${doubts} unanswered; of ${pool.length} numbers ${places}`)
}
await timeGoesBy(pool)
await kill(server)
rmSync(folder, { recursive: true, force: true })
console.log('ok - nothing lost, nothing doubled')
