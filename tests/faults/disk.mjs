// See test_disk.sh. The SMSC and the webhook are in this process and count what reached them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRequire } from 'node:module'
import { ask, keyOf, kill, newFolder, operatorKey, program, serve } from './server.mjs'

const smpp = createRequire(import.meta.url)('smpp')
const folder = newFolder(), kept = join(folder, 'kept'), data = join(folder, 'data'), orders = join(folder, 'orders')
const files = ['carterfone.db', 'carterfone.db-wal']
const ESME_RX_T_APPN = 0x64, version = 'api-version=2025-06-01'

/* -- the disk: struct orders of disk.c -------------------------------------------------------------------------------- */
writeFileSync(orders, Buffer.alloc(32, '.'))
const fd = openSync(orders, 'r+')
function disk({ grow = '.', logWrite = '.', logSync = '.', mainWrite = '.', mainSync = '.', room = 0 } = {}) {
  const octets = Buffer.alloc(16, '.')
  octets.writeInt32LE(room, 8)
  octets.writeInt32LE(0, 12)
  writeSync(fd, octets.subarray(8), 0, 8, 8)              // the room before the fault that needs it
  octets.write(grow + logWrite + logSync + mainWrite + mainSync)
  writeSync(fd, octets.subarray(0, 5), 0, 5, 0)
}
const struck = () => { const n = Buffer.alloc(4); readSync(fd, n, 0, 4, 12); return n.readUInt32LE() }
disk()

/* -- the webhook --------------------------------------------------------------------------------------------------------- */
const reports = new Map(), received = new Map()
const hook = createServer((rq, rs) => {
  let text = ''
  rq.on('data', (piece) => { text += piece })
  rq.on('end', () => {
    const events = [].concat(JSON.parse(text))
    if (events[0].data.validationCode) return rs.writeHead(200).end(JSON.stringify({ validationResponse: events[0].data.validationCode }))
    for (const { data } of events) {
      const [map, what] = data.tag ? [reports, `${data.tag} ${data.to}`] : [received, data.message]
      map.set(what, (map.get(what) ?? 0) + 1)
    }
    rs.writeHead(200).end()
  })
})
await new Promise((listening) => hook.listen(0, '127.0.0.1', listening))

/* -- the SMSC: takes everything, sends a receipt until it is taken, and texts of phones ---------------------------------- */
const taken = new Map(), strange = new Set()
let link, ids = 0, putBack = 0
const deliver = (session, fields) => new Promise((done) => {
  if (session.closed) return done(null)
  session.once('close', () => done(null))
  session.deliver_sm(fields, (answer) => done(answer.command_status))
})
/** A receipt is kept until it is taken, by this link or the next. */
async function untilTaken(fields) {
  for (let status; status !== 0;) {
    status = link && !link.closed ? await deliver(link, fields) : null
    if (status === ESME_RX_T_APPN) putBack++
    else if (status && !phase.dead) strange.add(status)
    if (status !== 0) await sleep(50)
  }
}
const smsc = smpp.createServer((session) => {
  session.setMaxListeners(0)
  session.on('error', () => {})
  session.on('close', () => { session.closed = true })
  session.on('bind_transceiver', (pdu) => { session.send(pdu.response({ system_id: 'sink' })); link = session })
  session.on('enquire_link', (pdu) => session.send(pdu.response()))
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close() })
  session.on('submit_sm', (pdu) => {
    const id = `S${++ids}`, what = `${pdu.short_message.message} +${pdu.destination_addr}`
    taken.set(what, (taken.get(what) ?? 0) + 1)
    session.send(pdu.response({ message_id: id }))
    setTimeout(() => untilTaken({ esm_class: 4, source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr, dest_addr_ton: 1,
      receipted_message_id: id, message_state: 2, short_message: `id:${id} sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:` }), 30)
  })
})
smsc.on('error', () => {})
smsc.listen(0, '127.0.0.1')
await once(smsc, 'listening')

/* -- the server ------------------------------------------------------------------------------------------------------------ */
/** What a power cut would leave begins as what is there. */
async function begin() {
  rmSync(kept, { recursive: true, force: true })
  mkdirSync(kept)
  for (const file of files) if (existsSync(join(data, file))) copyFileSync(join(data, file), join(kept, file))
  const library = join(dirname(program), 'faults', 'disk.so')
  assert.ok(existsSync(library), `${library} is not built`)
  return serve(folder, 60, [], { LD_PRELOAD: library, DISK_ORDERS: orders, DISK_KEPT: kept, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` })
}
let server = await begin()
const key = keyOf(server.ready.connectionString)
const own = (method, path, body) => ask(server, operatorKey(folder), method, `/carterfone/v1/${path}`, body)
const api = (method, path, body) => ask(server, key, method, path, body)
assert.equal((await own('POST', 'smscs', { name: 'sink', host: `127.0.0.1:${smsc.address().port}`, systemId: 'x', password: 'x', window: 50, simulated: true })).status, 201)
assert.equal((await own('POST', 'smsRoutes', { name: 'sink', carrier: 'sink' })).status, 201)
assert.equal((await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, batch: 20,
  eventTypes: ['Microsoft.Communication.SMSDeliveryReportReceived', 'Microsoft.Communication.SMSReceived'] })).status, 201)

/* -- what customers do: each notes what it was promised ------------------------------------------------------------------- */
const promised = new Set(), acknowledged = new Set(), bought = new Set()
let phase = { name: 'at first' }, marks = 0
const count = (what, answer) => { const k = `${what} ${answer}`; phase[k] = (phase[k] ?? 0) + 1 }
const times = (what, answer) => phase[`${what} ${answer}`] ?? 0

/** The API's words for what it cannot do now, or the status that was hoped for. */
function judge(what, answer, good) {
  if (!answer && phase.dead) return false
  assert.ok(answer, `${phase.name}: the connection of ${what} was cut`)
  count(what, answer.status)
  if (answer.status === good) return true
  assert.equal(answer.status, 503, `${phase.name}: ${what} was answered ${answer.status} ${answer.text}`)
  assert.match(answer.headers['retry-after'], /^[1-9]\d*$/)
  assert.match(answer.headers['content-type'], /^application\/json/)
  const { code, message, innererror } = answer.json.error
  assert.ok(code === 'ServiceUnavailable' && message, `${what}: ${answer.text}`)
  assert.ok(innererror.code === 'StoreBusy' && innererror.message, `${what}: ${answer.text}`)
  return false
}

async function text(from, recipients) {
  const mark = `m${++marks}`, to = Array.from({ length: recipients }, (_, k) => `+1206555${2000 + k}`)
  const answer = await api('POST', '/sms?api-version=2021-03-07', { from, message: mark, smsRecipients: to.map((t) => ({ to: t })),
    smsSendOptions: { enableDeliveryReport: true, tag: mark } })
  if (!judge(`send to ${recipients}`, answer, 202)) return sleep(5)
  assert.ok(answer.json.value.every((r) => r.successful))
  for (const t of to) promised.add(`${mark} ${t}`)
}

const what = { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
async function search() {
  const answer = await api('POST', `/availablePhoneNumbers/countries/US/:search?${version}`, what)
  return judge('search', answer, 202) ? answer.headers['search-id'] : null
}
async function numbersOf(searchId) {
  const answer = await api('GET', `/availablePhoneNumbers/searchResults/${searchId}?${version}`)
  return judge('read', answer, 200) ? answer.json.phoneNumbers : []
}
/** Searches that were made while all was well, to be bought while it is not. */
const prepared = []
async function prepare() { while (prepared.length < 3) { const id = await search(); prepared.push({ id, numbers: await numbersOf(id) }) } }
async function buy() {
  if (phase.calm || (phase.ill && !times('send to 1', 503))) return sleep(10)
  const next = prepared.shift() ?? (times('search', 202) < 2 ? await search().then((id) => id && { id }) : null)
  if (!next) return sleep(30)
  next.numbers ??= await numbersOf(next.id)
  if (!judge('purchase', await api('POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: next.id }), 202)) {
    prepared.push(next)
    return sleep(10)
  }
  for (const n of next.numbers) bought.add(n)
}

let phones = 0
async function phoneTexts(from) {
  const message = `phone ${++phones}`
  if (!link || link.closed) return sleep(20)
  for (;;) {
    const status = await deliver(link, { source_addr: '12065550199', source_addr_ton: 1, destination_addr: from.slice(1), dest_addr_ton: 1, short_message: message })
    if (status === null) return
    count('deliver_sm', status)
    if (status === 0) return acknowledged.add(message)
    assert.equal(status, ESME_RX_T_APPN, `${phase.name}: deliver_sm_resp ${status}`)
    if (over) return
    await sleep(20)
  }
}
async function read() {
  judge('read', await api('GET', `/phoneNumbers?${version}`), 200)
  judge('read', await own('GET', 'messages?limit=20'), 200)
  await sleep(20)
}

let over = false
await prepare()
const { id, numbers: [from] } = prepared.shift()
assert.equal((await api('POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: id })).status, 202)
bought.add(from)
async function until(condition, words, within = 20000) {
  for (const end = Date.now() + within; !await condition(); await sleep(10)) assert.ok(Date.now() < end, `${phase.name}: ${words}, not within ${within} ms: ${JSON.stringify(phase)}`)
}
/** The customers at work until stop(). */
function work() {
  over = false
  const loop = async (one, ...args) => { while (!over) await one(...args) }
  const all = [loop(text, from, 1), loop(text, from, 1), loop(text, from, 10), loop(text, from, 10), loop(buy), loop(phoneTexts, from), loop(read)]
  const ended = Promise.all(all)
  ended.catch((e) => { console.error(e); process.exit(1) })
  return async () => { over = true; await ended }
}
const told = (what) => ['send to 1', 'send to 10'].every((s) => times(s, what) >= 3)
const every = (wanted, there) => [...wanted].filter((m) => !there.has(m))
async function nothingIsLost() {
  await until(() => every(promised, taken).length === 0, 'every accepted message at the SMSC')
  await until(() => every(promised, reports).length === 0, 'every report at the webhook')
  await until(() => every(acknowledged, received).length === 0, 'every acknowledged text at the webhook')
  const leased = new Set()
  for (let next = `/phoneNumbers?${version}`; next;) {
    const { json } = await api('GET', next)
    for (const n of json.phoneNumbers) leased.add(n.phoneNumber)
    next = json.nextLink && json.nextLink.replace(/^https?:\/\/[^/]*/, '')
  }
  assert.deepEqual(every(bought, leased), [], `${phase.name}: bought and not there`)
  assert.deepEqual([...strange], [], 'a receipt was answered neither ESME_ROK nor ESME_RX_T_APPN')
}

/* -- what befalls the disk -------------------------------------------------------------------------------------------------- */
const refusing = [
  ['full', { grow: 'f' }],
  ['full after 5,000 octets', { grow: 'f', room: 5000 }],
  ['full after 60,000 octets', { grow: 'f', room: 60000 }],
  ['input and output errors', { logWrite: 'e' }],
  ['fdatasync fails', { logSync: 'e' }],
]
for (const [name, ill] of refusing) {
  phase = { name, calm: true }
  await prepare()
  const stop = work()
  await until(() => told(202), 'sends that are taken')
  phase = { name, ill: true }
  disk(ill)
  await until(() => told(503) && times('purchase', 503) >= 1 && times('search', 503) + times('purchase', 503) >= 2 && times('deliver_sm', ESME_RX_T_APPN) >= 2 && times('read', 200) >= 4,
    'refusals of everything that writes, reads that go on')
  assert.ok(struck() > 0)
  console.log(`# ${name}: ${JSON.stringify(phase)}`)
  phase = { name: `${name}, then well` }
  disk()
  await until(() => told(202) && times('purchase', 202) >= 1 && times('deliver_sm', 0) >= 1, 'everything that writes is taken again, without a restart')
  await stop()
  await nothingIsLost()
}

phase = { name: 'the log cannot be copied back' }
{
  const stop = work()
  disk({ mainWrite: 'e' })
  const before = promised.size
  await until(() => struck() > 0 && promised.size > before + 300, 'a try to copy, and sends that are taken')
  assert.equal(times('send to 10', 503) + times('send to 1', 503), 0, 'what is in the log is stored')
  await stop()
  disk()
  await nothingIsLost()
}

/* -- a power cut behind it: what a sync that failed had in hand never reaches the disk -------------------------------------- */
/** The server is dead, the machine starts again with what the disk has. */
async function afterPowerCut() {
  for (const file of files) copyFileSync(join(kept, file), join(data, file))
  rmSync(join(data, 'carterfone.db-shm'), { force: true })
  disk()
  server = await begin()
  await nothingIsLost()
}
for (const ill of [{ logSync: 'e' }, { grow: 'f', room: 9000 }]) {
  phase = { name: `power cut after ${JSON.stringify(ill)}` }
  const stop = work()
  await until(() => told(202), 'sends that are taken')
  disk(ill)
  await until(() => struck() > 0 && told(503), 'the fault')
  disk()
  const before = promised.size
  await until(() => promised.size > before + 50, 'sends that are taken again')
  phase.dead = over = true
  await kill(server)
  await stop()
  await afterPowerCut()
}

/* The database's own sync: what it dropped is known to nobody, so the server takes no more, ends, and says so. */
for (const cut of [true, false]) {
  phase = { name: `the sync of the database fails, ${cut ? 'then the power' : 'and no more'}` }
  const stop = work()
  await until(() => told(202), 'sends that are taken')
  disk({ mainSync: 'e' })
  const ended = once(server.child, 'exit')
  await until(() => told(503), 'refusals')
  const before = promised.size
  phase.dead = true
  disk()
  assert.deepEqual(await ended, [1, null])
  over = true
  server.agent.destroy()
  await stop()
  assert.equal(promised.size, before, 'accepted by a server that cannot keep it')
  if (cut) await afterPowerCut()
  else { server = await begin(); await nothingIsLost() }
}
const twice = [...taken.values()].filter((n) => n > 1).length
console.log(`# ${promised.size} messages accepted, 0 lost, ${twice} came twice; ${acknowledged.size} texts of phones, ${bought.size} numbers; ${putBack} receipts put back`)
server.child.kill('SIGTERM')
await once(server.child, 'exit')
assert.equal(server.child.exitCode, 0)
process.exit(0)
