// See test_dead_peers.sh. Every peer is in this process.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHook } from 'node:http'
import { createServer as createTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRequire } from 'node:module'
import { ask, keyOf, newFolder, operatorKey, serve } from './server.mjs'

const smpp = createRequire(import.meta.url)('smpp')
const folder = newFolder(), version = 'api-version=2025-06-01', BACKLOG = 300, ROUND = 100, RECEIPTS = 40
const WELL_MS = 15000, ACCEPT_MS = 3000, GROWTH_KB = 24 << 10        // generous: the machine may be busy with other things
const listen = async (server) => { server.listen(0, '127.0.0.1'); await once(server, 'listening'); return server.address().port }
async function until(what, look, within = 30000) {
  const began = Date.now()
  for (let got; Date.now() - began < within; await sleep(20)) if ((got = await look())) return Date.now() - began
  assert.fail(`not in ${within} ms: ${what}`)
}

/* -- webhooks: text answers a report, or does not ------------------------------------------------------------------------- */
function hook(answer) {
  const reports = new Map(), state = { reports, most: 0, open: 0 }
  const server = createHook((rq, rs) => {
    let text = ''
    state.most = Math.max(state.most, ++state.open)
    rs.on('close', () => state.open--)
    rq.on('data', (piece) => { text += piece })
    rq.on('end', () => {
      const events = [].concat(JSON.parse(text))
      if (events[0].data.validationCode) return rs.end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
      for (const { data } of events) reports.set(`${data.tag} ${data.to}`, (reports.get(`${data.tag} ${data.to}`) ?? 0) + 1)
      answer(rs)
    })
  })
  return Object.assign(state, { server })
}
const hooks = { well: hook((rs) => rs.end()), silent: hook(() => {}), slow: hook((rs) => {
  rs.writeHead(200, { 'content-length': 1000 })
  const octet = setInterval(() => rs.write('x'), 1000)
  rs.on('close', () => clearInterval(octet))
}) }

/* -- SMSCs: each takes what it takes in its own way until it is told to be well -------------------------------------------- */
const area = { mute: '212', late: '213', deaf: '214', half: '215', good: '206' }
let well = false, ids = 0
const taken = Object.fromEntries(Object.keys(area).map((name) => [name, new Set()]))
const links = new Map()
function smsc(name, ill) {
  const server = smpp.createServer((session) => {
    let cut = false
    links.set(name, session)
    session.on('error', () => {})
    session.on('bind_transceiver', (pdu) => { session.send(pdu.response({ system_id: name })); if (!well && name === 'deaf') session.socket.pause() })
    session.on('enquire_link', (pdu) => cut || session.send(pdu.response()))
    session.on('unbind', (pdu) => { session.send(pdu.response()); session.close() })
    session.on('submit_sm', (pdu) => {
      if (cut) return
      if (!well && ill) return void (cut = ill(session, pdu))
      const id = `${name}${++ids}`
      taken[name].add(`${pdu.short_message.message} +${pdu.destination_addr}`)
      session.send(pdu.response({ message_id: id }))
      if (pdu.registered_delivery) session.deliver_sm({ esm_class: 4, source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr, dest_addr_ton: 1,
        receipted_message_id: id, message_state: 2, short_message: `id:${id} sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:` })
    })
  })
  server.on('error', () => {})
  return server
}
const half = (session, pdu) => { session.socket.write(pdu.response({ message_id: 'half' }).toBuffer().subarray(0, 7)); return true }
const late = (session, pdu) => { setTimeout(() => session.closed || session.send(pdu.response({ message_id: `late${++ids}` })), 30000).unref(); return false }
const muted = []
const mutePeer = createTcp((socket) => { muted.push(socket); socket.on('error', () => {}); socket.resume() })
const mutePort = await listen(mutePeer)
const ports = { mute: mutePort, late: await listen(smsc('late', late)), deaf: await listen(smsc('deaf', () => false)), half: await listen(smsc('half', half)), good: await listen(smsc('good')) }

/* -- the server. Memory that the sanitizer keeps back would hide what grows ------------------------------------------------- */
const server = await serve(folder, 20, ['--smpp-limits', 'answer=2s'], { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` })
const own = async (method, path, body, wanted) => {
  const answer = await ask(server, operatorKey(folder), method, `/carterfone/v1/${path}`, body)
  assert.equal(answer?.status, wanted, `${method} ${path}: ${answer?.text}`)
  return answer.json
}
const residentKb = () => Number(readFileSync(`/proc/${server.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1])
const key = keyOf(server.ready.connectionString), api = (method, path, body) => ask(server, key, method, path, body)
for (const name in area) {
  await own('POST', 'smscs', { name, host: `127.0.0.1:${ports[name]}`, systemId: 'x', password: 'x', simulated: true, answerWithin: 1 }, 201)
  await own('POST', 'smsRoutes', { name, carrier: name, prefix: `+1${area[name]}` }, 201)
}
for (const { server: at } of Object.values(hooks)) await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${await listen(at)}/`, eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived'] }, 201)
const carriers = async () => Object.fromEntries((await own('GET', 'smscs', undefined, 200)).value.map((s) => [s.name, s]))
await until('four carriers are up', async () => { const c = await carriers(); return ['late', 'deaf', 'half', 'good'].every((name) => c[name].up) })
const searched = await api('POST', `/availablePhoneNumbers/countries/US/:search?${version}`, { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } })
assert.equal((await api('POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: searched.headers['search-id'] })).status, 202)
const from = (await api('GET', `/availablePhoneNumbers/searchResults/${searched.headers['search-id']}?${version}`)).json.phoneNumbers[0]

const promised = Object.fromEntries(Object.keys(area).map((name) => [name, new Set()]))
let slowest = 0
async function send(name, message, n) {
  for (let at = 0; at < n; at += 100) {
    const to = Array.from({ length: Math.min(100, n - at) }, (_, i) => `+1${area[name]}555${2000 + at + i}`), began = Date.now()
    const answer = await api('POST', '/sms?api-version=2021-03-07', { from, message, smsRecipients: to.map((t) => ({ to: t })), smsSendOptions: { enableDeliveryReport: true, tag: message } })
    assert.equal(answer?.status, 202, answer?.text)
    assert.ok(answer.json.value.every((r) => r.successful))
    slowest = Math.max(slowest, Date.now() - began)
    for (const t of to) promised[name].add(`${message} ${t}`)
  }
}
/** A round at the carrier that is well: taken, and reported to the webhook that is well. */
async function round(message) {
  await send('good', message, ROUND)
  const took = await until(`${message} is reported`, () => [...hooks.well.reports.keys()].filter((k) => k.startsWith(`${message} `)).length === ROUND, WELL_MS)
  console.log(`# ${message}: ${ROUND} texts taken and reported in ${took} ms, ${residentKb() >> 10} MB resident`)
}

/* -- everything at once ---------------------------------------------------------------------------------------------------- */
await round('before')
const ill = ['mute', 'late', 'deaf', 'half']
await Promise.all(ill.map((name) => send(name, 'backlog', BACKLOG)))
await round('beside them')
const busy = new Set()
await until('three were left alone for a while, and the fourth never bound', async () => {
  const now = await carriers()
  for (const name of ill) if (!now[name].up || now[name].busy) busy.add(name)
  return busy.size === ill.length
})

/* ESMEs of one customer: one reads nothing, one reads and answers no deliver_sm, one is well. */
const { systemId, password } = (await own('GET', 'resources/default/keys', undefined, 200)).smpp
const [host, port] = server.ready.smpp.split(':'), receipts = new Set()
async function esme(answers = true) {
  const session = smpp.connect({ host, port: Number(port) })
  session.on('error', () => {})
  session.on('enquire_link', (pdu) => session.send(pdu.response()))
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close() })
  session.on('deliver_sm', (pdu) => { if (answers) receipts.add(pdu.receipted_message_id), session.send(pdu.response()) })
  await once(session, 'connect')
  const bound = await new Promise((done) => session.bind_transceiver({ system_id: systemId, password }, done))
  assert.equal(bound.command_status, 0)
  return session
}
const reader = await esme(), deafEsme = await esme(), silentEsme = await esme(false)      // the newest is given what comes first
let unbound = false
silentEsme.once('unbind', () => { unbound = true })
deafEsme.socket.pause()
const asked = new Set()
for (let i = 0; i < RECEIPTS; i++) {
  const answer = await new Promise((done) => reader.submit_sm({ source_addr: from.slice(1), source_addr_ton: 1, destination_addr: `1${area.good}555${3000 + i}`, dest_addr_ton: 1, registered_delivery: 1, short_message: `esme ${i}` }, done))
  assert.equal(answer.command_status, 0)
  asked.add(answer.message_id)
}
console.log(`# receipts are with the ESME that is well after ${await until('all receipts', () => receipts.size === RECEIPTS, WELL_MS)} ms`)
await until('who answers none is unbound', () => unbound)
assert.deepEqual([...receipts].sort(), [...asked].sort())

/* What stands still costs nothing more, whatever flows beside it. */
const before = residentKb()
for (const name of ['one', 'two', 'three', 'four']) await round(name)
const grown = residentKb() - before
console.log(`# grown by ${grown} KB meanwhile; slowest 202 in ${slowest} ms; webhooks had ${hooks.silent.most} and ${hooks.slow.most} requests open at once`)
assert.ok(grown < GROWTH_KB, `grown by ${grown} KB`)
assert.ok(slowest < ACCEPT_MS, `a request waited ${slowest} ms`)
assert.ok(muted.length >= 1)
assert.ok(hooks.silent.most <= 10 && hooks.slow.most <= 10, 'requests at one endpoint')

/* -- and they are well again ------------------------------------------------------------------------------------------------ */
well = true
mutePeer.close()
for (const socket of muted) socket.destroy()
links.get('half').destroy()
links.get('deaf').socket.resume()
const recovered = smsc('mute')
recovered.listen(mutePort, '127.0.0.1')
const missing = (name) => [...promised[name]].filter((m) => !taken[name].has(m)).length
for (const name in area) console.log(`# ${name}: all arrived after ${await until(`${name} has all`, () => missing(name) === 0)} ms more`)
const ending = Date.now()
server.child.kill('SIGTERM')
await once(server.child, 'exit').then(([code]) => assert.equal(code, 0))
console.log(`# ended in ${Date.now() - ending} ms`)
process.exit(0)
