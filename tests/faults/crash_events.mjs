// The crash test of events: see test_crash_events.sh. ROUNDS rounds (default 5) of N messages (default 300), BATCHES=1,20 events a POST at two endpoints.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { ask, keyOf, kill, newFolder, operatorKey, serve } from './server.mjs'

const n = Number(process.env.N ?? 300), rounds = Number(process.env.ROUNDS ?? 5), window = 50
const batches = (process.env.BATCHES ?? '1,20').split(',').map(Number)
const subjects = 3

async function until(what, test, within) {
  for (const end = Date.now() + within; !await test(); await sleep(1)) if (Date.now() > end) return console.log(`# ${what}: not within ${within} ms`)
}

// -- an SMSC that sends messages in; a message counts when its deliver_sm_resp came: then its event is on disk
let link, wakeLink
const smsc = smpp.createServer((session) => {
  session.on('error', () => {})
  session.on('bind_transceiver', (pdu) => { session.send(pdu.response()); link = session; wakeLink?.() })
  session.on('enquire_link', (pdu) => session.send(pdu.response()))
  session.on('close', () => { if (link === session) link = null })
})
smsc.on('error', () => {})
await new Promise((listening) => smsc.listen(0, '127.0.0.1', listening))
const bound = async () => { while (!link) await new Promise((done) => { wakeLink = done }) }

/** Send texts[i] to the number of subject i % subjects, a window at once. @returns those that were acknowledged, as they are */
function sendIn(texts, to) {
  const acked = [], session = link
  let next = 0
  const more = () => {
    if (next === texts.length || session !== link) return
    const text = texts[next], i = next++
    session.deliver_sm({ source_addr_ton: 1, source_addr_npi: 1, source_addr: '12065550130', dest_addr_ton: 1, dest_addr_npi: 1,
      destination_addr: to[i % subjects].slice(1), short_message: text }, (pdu) => { if (pdu.command_status === 0) acked.push(text); more() })
  }
  for (let i = 0; i < window; i++) more()
  return acked
}

// -- endpoints, one a subscription: every arrival, and how many are answered late enough to be under way when the server dies
const arrivals = batches.map(() => [])
const hooks = await Promise.all(batches.map(async (batch, which) => {
  const server = createServer((rq, rs) => {
    let text = ''
    rq.on('data', (piece) => { text += piece })
    rq.on('end', async () => {
      const events = [].concat(JSON.parse(text))
      if (events[0].data.validationCode) return rs.writeHead(200).end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
      assert.ok(events.length <= batch, `${events.length} events in a POST`)
      for (const e of events) arrivals[which].push({ text: e.data.message, id: e.id, subject: e.subject, at: Date.now() })
      await sleep(randomInt(15))
      rs.writeHead(200).end()
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return server
}))

// -- the server
const folder = newFolder()
let server = await serve(folder, 10)
const key = keyOf(server.ready.connectionString)
const own = (path, body, method = 'POST') => ask(server, operatorKey(folder), method, `/carterfone/v1/${path}`, body)
const nothingWaits = async () => (await own('eventSubscriptions', undefined, 'GET')).json.value.every((s) => s.waiting === 0)
assert.equal((await own('smscs', { name: 'far', host: `127.0.0.1:${smsc.address().port}`, systemId: 'crash', password: 'x', simulated: true })).status, 201)
assert.equal((await own('smsRoutes', { name: 'far', carrier: 'far' })).status, 201)     // by no other, also while it is not bound yet
for (const [i, hook] of hooks.entries()) {
  const made = await own('eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, batch: batches[i],
    eventTypes: ['Microsoft.Communication.SMSReceived'] })
  assert.equal(made.status, 201, made.text)
}
const search = await ask(server, key, 'POST', '/availablePhoneNumbers/countries/US/:search?api-version=2025-06-01',
  { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' }, quantity: subjects })
const searchId = search.headers['search-id']
assert.equal((await ask(server, key, 'POST', '/availablePhoneNumbers/:purchase?api-version=2025-06-01', { searchId })).status, 202)
const to = (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${searchId}?api-version=2025-06-01`)).json.phoneNumbers
await bound()

let lost = 0, twice = 0, sent = 0, took = 0
for (let round = 1; round <= rounds; round++) {
  const texts = Array.from({ length: n }, (_, i) => `r${round}-m${i}`), at = randomInt(Math.floor(n * 0.1), Math.floor(n * 0.9))
  const before = arrivals.map((all) => all.length)
  const acked = sendIn(texts, to)
  const early = round % 2 === 0                 // while messages still come in, or while their events leave
  await until('the moment to die', () => (early ? acked.length : arrivals[0].length - before[0]) >= at, 30000)
  const killedAt = Date.now()
  await kill(server)
  const said = [...acked]                       // what was acknowledged before it died, no more
  server = await serve(folder, 10)
  await bound()
  await until('every event at every endpoint', () => arrivals.every((all) => { const got = new Set(all.map((a) => a.text)); return said.every((s) => got.has(s)) }), 40000)
  await until('no event waits', nothingWaits, 40000)    // those of messages that were stored, not acknowledged; duplicates
  let missing = 0, doubled = 0
  const ids = new Map()
  for (const [which, all] of arrivals.entries()) {
    const here = all.slice(before[which]), first = new Map()
    for (const a of here) {
      assert.equal(ids.get(a.text) ?? a.id, a.id, 'an event has one id, at every try and at every endpoint')
      ids.set(a.text, a.id)
      if (!first.has(a.text)) { first.set(a.text, a); continue }
      doubled++
      assert.ok(killedAt - first.get(a.text).at < 2000, 'what was acknowledged long before the server died came again')
    }
    missing += said.filter((s) => !first.has(s)).length
    const old = here.filter((a) => !a.text.startsWith(`r${round}-`))
    assert.deepEqual(old, [], 'events of an earlier round came again')
    for (let s = 0; s < subjects; s++) {
      const order = [...first.values()].filter((a) => a.subject.endsWith(to[s].slice(1))).map((a) => Number(a.text.split('-m')[1]))
      assert.deepEqual(order, [...order].sort((a, b) => a - b), 'first arrivals of a subject are in order')
    }
  }
  console.log(`# round ${round}: ${said.length} messages acknowledged when it died (after ${at} ${early ? 'messages' : 'events'}); ${hooks.length} endpoints: ${missing} events lost, ${doubled} came twice`)
  lost += missing, twice += doubled, sent += said.length * hooks.length, took++
}
console.log(`# ${took} rounds of kill -9: ${sent} events were promised, ${lost} lost, ${twice} came twice`)
server.child.kill('SIGTERM')
await new Promise((gone) => server.child.once('exit', gone))
assert.equal(lost, 0, 'events were lost')
process.exit(0)
