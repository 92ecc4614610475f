// See test_crash_inbound.sh. The carrier is npm's smpp and outlives the server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { ask, keyOf, kill, newFolder, operatorKey, serve } from './server.mjs'

const bound = []
let session
const smsc = smpp.createServer((s) => {
  s.on('error', () => {})
  s.on('bind_transceiver', (pdu) => { s.send(pdu.response({ system_id: 'foreign' })); session = s; bound.shift()?.() })
  s.on('enquire_link', (pdu) => s.send(pdu.response()))
})
smsc.on('error', () => {})
smsc.listen(0, '127.0.0.1')
await once(smsc, 'listening')
const isBound = () => new Promise((done) => bound.push(done))
const deliver = (pdu) => new Promise((done) => session.deliver_sm(pdu, done))

const folder = newFolder()
let server = await serve(folder, 5)
const key = keyOf(server.ready.connectionString), operator = operatorKey(folder), version = 'api-version=2025-06-01'
const own = async (method, path, body) => (await ask(server, operator, method, `/carterfone/v1/${path}`, body)).json
const search = await ask(server, key, 'POST', `/availablePhoneNumbers/countries/US/:search?${version}`,
  { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' }, quantity: 1 })
const id = search.headers['search-id']
const number = (await ask(server, key, 'GET', `/availablePhoneNumbers/searchResults/${id}?${version}`)).json.phoneNumbers[0]
assert.equal((await ask(server, key, 'POST', `/availablePhoneNumbers/:purchase?${version}`, { searchId: id })).status, 202)
let up = isBound()
await own('POST', 'smscs', { name: 'foreign', host: `127.0.0.1:${smsc.address().port}`, systemId: 'x', password: 'x', simulated: true })
await up
const received = async () => (await own('GET', 'messages?state=received&limit=100')).value.map((m) => m.message).sort()
const crash = async () => {
  up = isBound()
  await kill(server)
  server = await serve(folder, 5)
  await up
}

const pieces = ['the first part, ', 'the second one, ', 'and the last']
const ways = {
  udh: (i) => ({ esm_class: 0x40, short_message: { udh: Buffer.from([5, 0, 3, 77, 3, i + 1]), message: pieces[i] } }),
  udh16: (i) => ({ esm_class: 0x40, short_message: { udh: Buffer.from([6, 8, 4, 1, 77, 3, i + 1]), message: pieces[i] } }),
  sar: (i) => ({ sar_msg_ref_num: 700, sar_total_segments: 3, sar_segment_seqnum: i + 1, short_message: pieces[i] }),
}
const part = (i) => Promise.all(Object.keys(ways).map((way, n) => deliver({ source_addr_ton: 1, source_addr_npi: 1, source_addr: `1206555012${n}`,
  dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: number.slice(1), ...ways[way](i) })))
const taken = (answers) => assert.deepEqual(answers.map((a) => a.command_status), [0, 0, 0])

taken(await part(0))
await crash()
taken(await part(0))                    // said again, as by a carrier that was cut off before it had read the answer
taken(await part(1))
await crash()
assert.deepEqual(await received(), [])
taken(await part(2))
const whole = Object.keys(ways).map(() => pieces.join(''))
assert.deepEqual(await received(), whole)
await crash()
await sleep(1200)                       // parts that were left behind would wait for others, and hold up what is new
assert.deepEqual(await received(), whole)
taken(await part(0))
assert.deepEqual(await received(), whole)

await kill(server)
for (const s of smsc.sessions) s.destroy()
smsc.close()
rmSync(folder, { recursive: true, force: true })
console.log('ok - 3 times killed between parts: each message was told once, whole')
