// A foreign ESME (npm smpp) at our simulated SMSC: both codecs must mean the same, and nonsense must not hurt it.
import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { ask, inbox, simulatedSmsc } from './peer.mjs'

const US = { source_addr_ton: 1, source_addr_npi: 1, source_addr: '18335550100', dest_addr_ton: 1, dest_addr_npi: 1 }
const HANDSET = '12065550111'
/* What is asked of our SMSC through its own commands is a test only where we run it alone, and not a whole server. */
const ownTest = process.env.CARTERFONE_READY_FILE ?? process.env.CARTERFONE_READY ? () => {} : test

async function bound(t, at, command = 'bind_transceiver', system_id = 'foreign') {
  const session = smpp.connect({ host: at.host, port: at.port })
  session.on('error', () => {})
  t.after(() => session.destroy())
  await new Promise((done) => session.once('connect', done))
  const delivers = inbox(session, 'deliver_sm')       // before the bind: what waited comes right behind its answer
  session.on('deliver_sm', (pdu) => session.send(pdu.response()))
  const answer = await ask(session, command, { system_id, password: 'any', interface_version: 0x34 })
  assert.equal(answer.command, `${command}_resp`)
  assert.equal(answer.command_status, smpp.ESME_ROK)
  return { session, delivers }
}

const receiptOf = (pdu) => Object.fromEntries([...pdu.short_message.message.matchAll(/(id|stat|err|dlvrd|sub):(\S*)/g)].map((m) => [m[1], m[2]]))

test('a message is answered with an id, and its receipt names that id in text and TLVs', async (t) => {
  const at = await simulatedSmsc(t)
  const { session, delivers } = await bound(t, at)
  const answer = await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, registered_delivery: 1, short_message: 'hello @ {€}' })
  assert.equal(answer.command_status, smpp.ESME_ROK)
  assert.match(answer.message_id, /^\d+$/)
  if (at.ours) assert.ok(await at.ours.next(/^message \+18335550100 \+12065550111 hello @ \{€\}$/))
  const receipt = await delivers.next()
  assert.equal(receipt.esm_class & 0x3c, smpp.ESM_CLASS.MC_DELIVERY_RECEIPT)
  assert.equal(receipt.source_addr, HANDSET)
  assert.equal(receipt.destination_addr, '18335550100')
  assert.deepEqual([receiptOf(receipt).id, receiptOf(receipt).stat, receiptOf(receipt).err], [answer.message_id, 'DELIVRD', '000'])
  assert.equal(receipt.receipted_message_id, answer.message_id)
  assert.equal(receipt.message_state, smpp.MESSAGE_STATE.DELIVERED)
})

test('ids increase, and no receipt comes unasked', async (t) => {
  const at = await simulatedSmsc(t)
  const { session, delivers } = await bound(t, at)
  const ids = []
  for (let i = 0; i < 5; i++) ids.push(BigInt((await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, short_message: `n ${i}` })).message_id))
  for (let i = 1; i < 5; i++) assert.ok(ids[i] > ids[i - 1])
  await assert.rejects(delivers.next(400))
})

test('UCS-2 and a message in parts arrive whole', async (t) => {
  const at = await simulatedSmsc(t)
  const { session, delivers } = await bound(t, at)
  await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, data_coding: 8, short_message: 'Привет 👍' })
  if (at.ours) assert.ok(await at.ours.next(/Привет 👍$/))
  const parts = ['one, ', 'two, ', 'three']
  const answers = []
  for (const i of [2, 0, 1]) {            // out of order
    const udh = Buffer.from([5, 0, 3, 77, parts.length, i + 1])
    answers.push(await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, registered_delivery: 1,
      short_message: { udh, message: parts[i] } }))
  }
  if (at.ours) assert.ok(await at.ours.next(/ one, two, three$/))
  const receipts = []
  for (let i = 0; i < parts.length; i++) receipts.push((await delivers.next()).receipted_message_id)
  assert.deepEqual(receipts.sort(), answers.map((a) => a.message_id).sort())
})

test('message_payload and SAR TLVs are understood', async (t) => {
  const at = await simulatedSmsc(t)
  const { session } = await bound(t, at)
  const answer = await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, short_message: '', message_payload: 'in the payload' })
  assert.equal(answer.command_status, smpp.ESME_ROK)
  if (at.ours) assert.ok(await at.ours.next(/ in the payload$/))
  for (const [seqnum, text] of [[1, 'first '], [2, 'second']])
    await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, short_message: text, sar_msg_ref_num: 500, sar_total_segments: 2, sar_segment_seqnum: seqnum })
  if (at.ours) assert.ok(await at.ours.next(/ first second$/))
})

test('enquire_link, unbind, and a second bind are answered by the book', async (t) => {
  const at = await simulatedSmsc(t)
  const { session } = await bound(t, at)
  assert.equal((await ask(session, 'enquire_link')).command, 'enquire_link_resp')
  assert.equal((await ask(session, 'bind_transceiver', { system_id: 'x' })).command_status, smpp.ESME_RALYBND)
  assert.equal((await ask(session, 'unbind')).command, 'unbind_resp')
  await new Promise((done) => session.once('close', done))
})

test('nothing is served before the bind, nor what we do not serve', async (t) => {
  const at = await simulatedSmsc(t)
  const session = smpp.connect({ host: at.host, port: at.port })
  session.on('error', () => {})
  t.after(() => session.destroy())
  await new Promise((done) => session.once('connect', done))
  const early = await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, short_message: 'x' })
  assert.equal(early.command_status, smpp.ESME_RINVBNDSTS)
  assert.equal((await ask(session, 'query_sm', { message_id: '1', source_addr: '1' })).command_status, smpp.ESME_RINVBNDSTS)
  const other = await ask(session, 'query_broadcast_sm', { message_id: '1', source_addr: '1' })
  assert.equal(other.command, 'generic_nack')
  assert.equal(other.command_status, smpp.ESME_RINVCMDID)
})

test('malformed PDUs are nacked and the server lives on', async (t) => {
  const at = await simulatedSmsc(t)
  const said = (hex) => new Promise((done) => {
    const heard = []
    const socket = connectTcp(at.port, at.host, () => socket.write(Buffer.from(hex, 'hex')))
    socket.on('data', (octets) => heard.push(octets)).on('error', () => {}).on('close', () => done(Buffer.concat(heard)))
    setTimeout(() => socket.destroy(), 300)
  })
  const cut = await said('0000001400000004000000000000000741414141')
  assert.equal(cut.toString('hex'), '00000010' + '80000000' + '00000002' + '00000007')
  const impossible = await said('7fffffff000000040000000000000007')
  assert.equal(impossible.subarray(4, 12).toString('hex'), '80000000' + '00000002')
  await said('00000004'); await said('ff'); await said('474554202f20485454502f312e310d0a0d0a')     // "GET / HTTP/1.1"
  const { session } = await bound(t, at)
  assert.equal((await ask(session, 'submit_sm', { ...US, destination_addr: HANDSET, short_message: 'alive' })).command_status, smpp.ESME_ROK)
})

ownTest('a handset\'s SMS reaches a receiver, in parts when it is long', async (t) => {
  const at = await simulatedSmsc(t)
  at.ours.say('inject +12065550111 +18335550100 hello € there')         // nobody is bound yet: it waits
  const { delivers } = await bound(t, at, 'bind_receiver')
  const short = await delivers.next()
  assert.equal(short.source_addr, HANDSET)
  assert.equal(short.short_message.message, 'hello € there')
  const long = 'Grüße an alle! '.repeat(12).trim()
  at.ours.say(`inject +12065550111 +18335550100 ${long}`)
  const pieces = [await delivers.next(), await delivers.next()]
  assert.deepEqual(pieces.map((p) => [...p.short_message.udh[0].subarray ? p.short_message.udh[0] : p.short_message.udh].slice(-2)), [[2, 1], [2, 2]])
  assert.equal(pieces.map((p) => p.short_message.message).join(''), long)
})

ownTest('undeliverable and throttled are said as such', async (t) => {
  const at = await simulatedSmsc(t)
  const { session, delivers } = await bound(t, at)
  const answer = await ask(session, 'submit_sm', { ...US, destination_addr: '12065550151', registered_delivery: 1, short_message: 'x' })
  const receipt = await delivers.next()
  assert.equal(receipt.receipted_message_id, answer.message_id)
  assert.equal(receipt.message_state, smpp.MESSAGE_STATE.UNDELIVERABLE)
  assert.deepEqual([receiptOf(receipt).stat, receiptOf(receipt).err], ['UNDELIV', '005'])
  assert.equal((await ask(session, 'submit_sm', { ...US, destination_addr: '12065550152', short_message: 'x' })).command_status, smpp.ESME_RTHROTTLED)
  await sleep(10)
  await at.ours.stop()
})
