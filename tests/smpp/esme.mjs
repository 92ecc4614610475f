// A customer's ESME (npm smpp) at the product's own SMPP server: every PDU, and what is refused with which status. Started by
// test_esme.sh, which says where it is (AT), with which NUMBER and SECOND (a local number, which sends no texts), DATA for the CLI.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect as connectTcp } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import smpp from 'smpp'
import { ask, inbox } from './peer.mjs'

const { AT, NUMBER, SECOND, DATA, CARTERFONE } = process.env
const [host, port] = AT.split(':')
const digits = (n) => n.slice(1)
const INTERNATIONAL = { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1 }
const PHONE = '12065550111'
const US = { ...INTERNATIONAL, source_addr: digits(NUMBER), destination_addr: PHONE }
const run = promisify(execFile)
const ctl = async (...args) => (await run(CARTERFONE, ['--data', DATA, ...args])).stdout
const keysOf = async (resource) => JSON.parse(await ctl('resource', 'keys', resource, '--json')).smpp

async function connected(t, ends = true) {
  const session = smpp.connect({ host, port: Number(port) })
  session.on('error', () => {})
  if (ends) t.after(() => session.destroy())
  await new Promise((done) => session.once('connect', done))
  return session
}

const open = new Set()
async function bound(t, { command = 'bind_transceiver', resource = 'default', answer = (pdu) => pdu.response(), credentials } = {}) {
  const session = await connected(t, false)
  const { systemId, password } = credentials ?? await keysOf(resource)
  const delivers = inbox(session, 'deliver_sm')
  session.on('deliver_sm', (pdu) => { const said = answer(pdu); if (said) session.send(said) })
  const answered = await ask(session, command, { system_id: systemId, password, interface_version: 0x34 })
  assert.equal(answered.command, `${command}_resp`)
  assert.equal(answered.command_status, smpp.ESME_ROK)
  open.add(session)
  /* in good order, and only then the next test: what was not answered would wait for it */
  const bye = async () => { if (open.delete(session)) { const gone = new Promise((done) => session.once('close', done)); await ask(session, 'unbind'); await gone } }
  t.after(() => bye().finally(() => session.destroy()))
  return { session, delivers, bye }
}
const text = (pdu) => pdu.short_message.message
const receiptOf = (pdu) => Object.fromEntries([...text(pdu).matchAll(/(id|stat|err|dlvrd|sub|text):(\S*)/g)].map((m) => [m[1], m[2]]))
const until = async (what, look) => { for (let n = 200; n; n--) { const got = await look(); if (got) return got; await sleep(50) } assert.fail(`no ${what}`) }

test('a password is one of two, and both hold; a wrong one is told late and no more than three times', async (t) => {
  const keys = await keysOf('default')
  assert.match(keys.password, /^[\w-]{8}$/)
  assert.notEqual(keys.password, keys.secondaryPassword)
  await (await bound(t, { credentials: { systemId: 'default', password: keys.secondaryPassword } })).bye()
  const session = await connected(t)
  const gone = new Promise((done) => session.once('close', done))
  const begun = Date.now()
  for (const [system_id, password] of [['default', 'wrong'], ['nobody', keys.password], ['default', '']])
    assert.equal((await ask(session, 'bind_transmitter', { system_id, password })).command_status, smpp.ESME_RINVPASWD)
  assert.ok(Date.now() - begun > 1500, 'each no comes later than the one before')
  await gone
})

test('what was submitted is a message as any other, and its receipt comes back in text and TLVs', async (t) => {
  const { session, delivers } = await bound(t)
  const { command_status, message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, user_message_reference: 4711, short_message: 'hello € there' })
  assert.equal(command_status, smpp.ESME_ROK)
  assert.match(message_id, /^[0-9a-f-]{36}$/)
  const receipt = await delivers.next()
  assert.equal(receipt.esm_class & 0x3c, smpp.ESM_CLASS.MC_DELIVERY_RECEIPT)
  assert.deepEqual([receipt.source_addr, receipt.destination_addr], [PHONE, digits(NUMBER)])
  assert.deepEqual([receiptOf(receipt).id, receiptOf(receipt).stat, receiptOf(receipt).err], [message_id, 'DELIVRD', '000'])
  assert.match(text(receipt), /submit date:\d{10} done date:\d{10} stat:/)
  assert.deepEqual([receipt.receipted_message_id, receipt.message_state, receipt.user_message_reference], [message_id, smpp.MESSAGE_STATE.DELIVERED, 4711])
  const told = await until('line of the ESME', async () => { const s = await ctl('explain', message_id); return /taken by the ESME/.test(s) && s })
  assert.match(told, /request +submit_sm by default/)
  assert.match(told, /answer +ESME_ROK, once it was on disk/)
  assert.match(await ctl('sms', 'list'), /hello € there/)
})

test('no receipt comes unasked, and one for failures only when it failed', async (t) => {
  const { session, delivers } = await bound(t)
  await ask(session, 'submit_sm', { ...US, short_message: 'unasked' })
  await ask(session, 'submit_sm', { ...US, registered_delivery: 2, short_message: 'delivered' })
  const { message_id } = await ask(session, 'submit_sm', { ...US, destination_addr: '12065550160', registered_delivery: 2, short_message: 'fails' })
  const receipt = await delivers.next()
  assert.deepEqual([receipt.receipted_message_id, receiptOf(receipt).stat, receiptOf(receipt).err], [message_id, 'UNDELIV', '001'])
  const rejected = await ask(session, 'submit_sm', { ...US, destination_addr: '12065550164', registered_delivery: 2, short_message: 'rejected' })
  const second = await delivers.next()
  assert.deepEqual([second.receipted_message_id, receiptOf(second).stat], [rejected.message_id, 'REJECTD'])
  await assert.rejects(delivers.next(400))
})

test('alphabets, a payload, data_sm and a single part are read', async (t) => {
  const { session, delivers } = await bound(t)
  const said = async (fields, command = 'submit_sm') => {
    const { command_status, message_id } = await ask(session, command, { ...US, registered_delivery: 1, ...fields })
    assert.equal(command_status, smpp.ESME_ROK)
    assert.equal((await delivers.next()).receipted_message_id, message_id)
    return JSON.parse(await ctl('sms', 'show', message_id, '--json')).message
  }
  assert.equal(await said({ data_coding: 8, short_message: 'Привет 👍' }), 'Привет 👍')
  assert.equal(await said({ data_coding: 3, short_message: { message: Buffer.from('caf\xe9', 'latin1') } }), 'café')
  assert.equal(await said({ data_coding: 0, short_message: { message: Buffer.from([0x1b, 0x65, 0x02]) } }), '€$')
  assert.equal(await said({ short_message: '', message_payload: 'x'.repeat(400) }), 'x'.repeat(400))
  assert.equal(await said({ message_payload: 'by data_sm' }, 'data_sm'), 'by data_sm')
  assert.equal(await said({ short_message: { udh: Buffer.from([5, 0, 3, 1, 1, 1]), message: 'one of one' } }), 'one of one')
})

test('parts make one message, whatever their order; each has its id and its receipt', async (t) => {
  const { session, delivers } = await bound(t)
  const made = async (fields) => {
    const ids = []
    for (const f of fields) {
      const { command_status, message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, ...f })
      assert.equal(command_status, smpp.ESME_ROK)
      ids.push(message_id)
    }
    const receipts = []
    for (let i = 0; i < ids.length; i++) receipts.push((await delivers.next()).receipted_message_id)
    assert.deepEqual(receipts.sort(), [...ids].sort())
    return JSON.parse(await ctl('sms', 'show', ids.at(-1), '--json')).message
  }
  const udh = (part, message) => ({ short_message: { udh: Buffer.from([5, 0, 3, 77, 3, part]), message } })
  assert.equal(await made([udh(3, 'three'), udh(1, 'one, '), udh(2, 'two, ')]), 'one, two, three')
  const udh16 = (part, message) => ({ data_coding: 8, short_message: { udh: Buffer.from([6, 8, 4, 1, 77, 2, part]), message } })
  const halves = Buffer.from('ab👍', 'utf16le').swap16()      // the pair is cut in two
  assert.equal(await made([udh16(1, halves.subarray(0, 6)), udh16(2, halves.subarray(6))]), 'ab👍')
  const sar = (part, short_message) => ({ sar_msg_ref_num: 500, sar_total_segments: 2, sar_segment_seqnum: part, short_message })
  assert.equal(await made([sar(1, 'first '), sar(2, 'second')]), 'first second')
})

test('the first part of what would be refused is refused', async (t) => {
  const { session } = await bound(t)
  const part = { short_message: { udh: Buffer.from([5, 0, 3, 78, 2, 1]), message: 'x' } }
  assert.equal((await ask(session, 'submit_sm', { ...US, source_addr: '18885550199', ...part })).command_status, smpp.ESME_RINVSRCADR)
  assert.equal((await ask(session, 'submit_sm', { ...US, destination_addr: '12', ...part })).command_status, smpp.ESME_RINVDSTADR)
})

test('submit_multi lists who could not be sent to', async (t) => {
  const { session, delivers } = await bound(t)
  const to = (n) => ({ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: n })
  const { destination_addr, ...from } = US
  const answer = await ask(session, 'submit_multi', { ...from, registered_delivery: 1, short_message: 'to many',
    dest_address: [to('12065550112'), to('44'), { dl_name: 'everybody' }, to('12065550113')] })
  assert.equal(answer.command_status, smpp.ESME_ROK)
  assert.deepEqual(answer.unsuccess_sme.map((u) => [u.destination_addr, u.error_status_code]).sort(), [['', smpp.ESME_RINVDLNAME], ['44', smpp.ESME_RINVDSTADR]])
  const receipts = [await delivers.next(), await delivers.next()]
  assert.deepEqual(receipts.map((r) => r.source_addr).sort(), ['12065550112', '12065550113'])
  for (const r of receipts) assert.equal(r.receipted_message_id, answer.message_id)
  const none = await ask(session, 'submit_multi', { ...from, short_message: 'x', dest_address: [to('44')] })
  assert.equal(none.command_status, smpp.ESME_RSUBMITFAIL)
})

test('query, cancel and replace: what is known of a message, and what waits for a carrier', async (t) => {
  const { session, delivers } = await bound(t)
  const named = (message_id) => ({ message_id, source_addr_ton: 1, source_addr_npi: 1, source_addr: digits(NUMBER) })
  const { message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'asked about' })
  await delivers.next()
  const over = await ask(session, 'query_sm', named(message_id))
  assert.deepEqual([over.command_status, over.message_id, over.message_state], [smpp.ESME_ROK, message_id, smpp.MESSAGE_STATE.DELIVERED])
  assert.ok(over.final_date)
  assert.equal((await ask(session, 'query_sm', named('00000000-0000-4000-8000-000000000000'))).command_status, smpp.ESME_RINVMSGID)
  assert.equal((await ask(session, 'query_sm', { ...named(message_id), source_addr: '18335550100' })).command_status, smpp.ESME_RINVMSGID)
  assert.equal((await ask(session, 'cancel_sm', { ...named(message_id), dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: PHONE })).command_status, smpp.ESME_RCANCELFAIL)
  assert.equal((await ask(session, 'replace_sm', { ...named(message_id), short_message: 'too late' })).command_status, smpp.ESME_RREPLACEFAIL)

  await ctl('sim', 'smsc', 'outage', '600s')          // no carrier: what is submitted now waits
  await until('carrier that is down', async () => /"up": *false/.test(await ctl('smsc', 'list', '--json')))
  const waiting = async (short_message) => (await ask(session, 'submit_sm', { ...US, registered_delivery: 1, short_message })).message_id
  const dropped = await waiting('to be cancelled'), changed = await waiting('to be replaced')
  assert.equal((await ask(session, 'query_sm', named(changed))).message_state, smpp.MESSAGE_STATE.ENROUTE)
  assert.equal((await ask(session, 'cancel_sm', { ...named(dropped), dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: PHONE })).command_status, smpp.ESME_ROK)
  const gone = await delivers.next()
  assert.deepEqual([gone.receipted_message_id, receiptOf(gone).stat], [dropped, 'DELETED'])
  assert.equal((await ask(session, 'query_sm', named(dropped))).message_state, smpp.MESSAGE_STATE.DELETED)
  assert.equal((await ask(session, 'cancel_sm', named(dropped))).command_status, smpp.ESME_RCANCELFAIL)
  assert.equal((await ask(session, 'replace_sm', { ...named(changed), registered_delivery: 1, short_message: 'the new text' })).command_status, smpp.ESME_ROK)
  assert.equal((await ask(session, 'replace_sm', { ...named(changed), validity_period: '000001000000000R', short_message: 'x' })).command_status, smpp.ESME_RINVEXPIRY)
  await ctl('sim', 'smsc', 'outage', '0')
  assert.equal((await delivers.next(40000)).receipted_message_id, changed)
  assert.match(await ctl('sms', 'list'), /the new text/)
  assert.doesNotMatch(await ctl('sms', 'list'), /to be replaced/)
})

test('what is scheduled waits, can be replaced, and leaves in its time; what is not valid any more ends as EXPIRED', async (t) => {
  const { session, delivers } = await bound(t)
  const named = (message_id) => ({ message_id, source_addr_ton: 1, source_addr_npi: 1, source_addr: digits(NUMBER) })
  const later = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, schedule_delivery_time: '000000010000000R', short_message: 'in an hour' })
  assert.equal(later.command_status, smpp.ESME_ROK)
  assert.equal((await ask(session, 'query_sm', named(later.message_id))).message_state, smpp.MESSAGE_STATE.ENROUTE)
  assert.equal((await ask(session, 'replace_sm', { ...named(later.message_id), registered_delivery: 1, short_message: 'replaced in time' })).command_status, smpp.ESME_ROK)
  await assert.rejects(delivers.next(300))
  await ctl('clock', 'advance', '61m')
  assert.equal((await delivers.next()).receipted_message_id, later.message_id)
  assert.equal(JSON.parse(await ctl('sms', 'show', later.message_id, '--json')).message, 'replaced in time')

  await ctl('sim', 'smsc', 'outage', '600s')
  await until('carrier that is down', async () => /"up": *false/.test(await ctl('smsc', 'list', '--json')))
  const short = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, validity_period: '000000000100000R', short_message: 'for a minute' })
  await ctl('clock', 'advance', '2m')
  const receipt = await delivers.next()
  assert.deepEqual([receipt.receipted_message_id, receiptOf(receipt).stat], [short.message_id, 'EXPIRED'])
  assert.equal((await ask(session, 'query_sm', named(short.message_id))).message_state, smpp.MESSAGE_STATE.EXPIRED)
  await ctl('sim', 'smsc', 'outage', '0')
  await until('carrier that is up', async () => /"up": *true/.test(await ctl('smsc', 'list', '--json')))
})

test('parts whose others never come end as EXPIRED', async (t) => {
  const { session, delivers } = await bound(t)
  const { message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, short_message: { udh: Buffer.from([5, 0, 3, 55, 2, 1]), message: 'alone' } })
  await ctl('clock', 'advance', '6m')
  const receipt = await delivers.next()
  assert.deepEqual([receipt.receipted_message_id, receiptOf(receipt).stat], [message_id, 'EXPIRED'])
})

test('each refusal has its status, and explain says the rule', async (t) => {
  const { session } = await bound(t)
  const refused = async (fields, status) => assert.equal((await ask(session, 'submit_sm', { ...US, short_message: 'x', ...fields })).command_status, status, JSON.stringify(fields))
  await refused({ source_addr: '18335550199' }, smpp.ESME_RINVSRCADR)        // not leased
  await refused({ source_addr: digits(SECOND) }, smpp.ESME_RINVSRCADR)       // a local number
  await refused({ destination_addr: '123' }, smpp.ESME_RINVDSTADR)
  await refused({ destination_addr: '442079460000' }, smpp.ESME_RINVDSTADR)  // a country it may not text
  await refused({ esm_class: 2 }, smpp.ESME_RINVESMCLASS)
  await refused({ esm_class: 4 }, smpp.ESME_RINVESMCLASS)
  await refused({ registered_delivery: 3 }, smpp.ESME_RINVREGDLVFLG)
  await refused({ data_coding: 4, short_message: { message: Buffer.from([1, 2]) } }, smpp.ESME_RSUBMITFAIL)
  await refused({ sm_default_msg_id: 7 }, smpp.ESME_RINVDFTMSGID)
  await refused({ replace_if_present_flag: 1 }, smpp.ESME_RSUBMITFAIL)
  await refused({ validity_period: 'tomorrow' }, smpp.ESME_RINVEXPIRY)
  await refused({ validity_period: '200101000000000+' }, smpp.ESME_RINVEXPIRY)
  await refused({ schedule_delivery_time: 'soon' }, smpp.ESME_RINVSCHED)
  await refused({ schedule_delivery_time: '000200000000000R' }, smpp.ESME_RINVSCHED)     // two months: too far
  await refused({ schedule_delivery_time: '000000020000000R', validity_period: '000000010000000R' }, smpp.ESME_RINVEXPIRY)
  await refused({ short_message: { udh: Buffer.from([5, 4, 1, 2, 3, 4]), message: 'x' } }, smpp.ESME_RINVESMCLASS)
  await refused({ short_message: '' }, smpp.ESME_RINVMSGLEN)
  await refused({ validity_period: '270231000000000+' }, smpp.ESME_RINVEXPIRY)          // there is no 31 February
  await refused({ short_message: '', message_payload: 'x'.repeat(2049) }, smpp.ESME_RINVMSGLEN)
  await ctl('optout', 'add', '--from', NUMBER, '+12065550119')
  await refused({ destination_addr: '12065550119' }, smpp.ESME_RSUBMITFAIL)
  const asked = [...(await run('grep', ['-o', 'submit_sm refused, .*', process.env.SERVER_LOG])).stdout.matchAll(/(ESME_\w+); why: carterfone explain (\S+)/g)]
  const [, , guid] = asked.find(([, status]) => status === 'ESME_RINVSRCADR')
  const told = await ctl('explain', guid)
  assert.match(told, /rule +SenderNotLeased/)
  assert.match(told, /answer +ESME_RINVSRCADR after/)
  const [, , malformed] = asked.find(([, status]) => status === 'ESME_RINVESMCLASS')
  const { decision } = JSON.parse(await ctl('explain', malformed, '--json'))
  assert.equal(decision.rule, 'SubmitInvalid')
  assert.match(decision.next, /^Mend that field of the PDU/)
  const [, , blocked] = asked.findLast(([, status]) => status === 'ESME_RSUBMITFAIL')
  assert.match(await ctl('explain', blocked), /rule +RecipientOptedOut[\s\S]*next +The phone's own START/)
})

test('a resource sends and asks only of its own', async (t) => {
  await ctl('resource', 'add', 'a-name-of-many-octets')
  const credentials = await keysOf('a-name-of-many-octets')
  assert.match(credentials.systemId, /^r-[0-9a-z]{13}$/)
  const { session: mine } = await bound(t)
  const { message_id } = await ask(mine, 'submit_sm', { ...US, short_message: 'mine' })
  const { session } = await bound(t, { credentials, command: 'bind_transmitter' })
  assert.equal((await ask(session, 'submit_sm', { ...US, short_message: 'x' })).command_status, smpp.ESME_RINVSRCADR)
  assert.equal((await ask(session, 'query_sm', { message_id, source_addr_ton: 1, source_addr_npi: 1, source_addr: digits(NUMBER) })).command_status, smpp.ESME_RINVMSGID)
})

test('receivers get, transmitters send; nothing is served before the bind, and an outbind is refused', async (t) => {
  const receiver = await bound(t, { command: 'bind_receiver' })
  const sender = await bound(t, { command: 'bind_transmitter' })
  assert.equal((await ask(receiver.session, 'submit_sm', { ...US, short_message: 'x' })).command_status, smpp.ESME_RINVBNDSTS)
  const { message_id } = await ask(sender.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'by the other bind' })
  assert.equal((await receiver.delivers.next()).receipted_message_id, message_id)
  assert.equal((await ask(sender.session, 'enquire_link')).command, 'enquire_link_resp')
  assert.equal((await ask(sender.session, 'bind_transceiver', { system_id: 'default' })).command_status, smpp.ESME_RALYBND)
  const early = await connected(t)
  assert.equal((await ask(early, 'submit_sm', { ...US, short_message: 'x' })).command_status, smpp.ESME_RINVBNDSTS)
  const nack = (command, fields) => new Promise((done) => { early.once('generic_nack', done); early.send(new smpp.PDU(command, fields)) })
  assert.equal((await nack('outbind', { system_id: 'smsc', password: 'x' })).command_status, smpp.ESME_RINVCMDID)
  assert.equal((await nack('alert_notification', { source_addr: '1', esme_addr: '2' })).command_status, smpp.ESME_RINVCMDID)
  assert.equal((await ask(early, 'query_broadcast_sm', { message_id: '1', source_addr: '1' })).command_status, smpp.ESME_RINVCMDID)
})

test('malformed PDUs are nacked and the server lives on', async (t) => {
  const said = (hex) => new Promise((done) => {
    const heard = []
    const socket = connectTcp(Number(port), host, () => socket.write(Buffer.from(hex, 'hex')))
    socket.on('data', (octets) => { heard.push(octets); socket.destroy() }).on('error', () => {}).on('close', () => done(Buffer.concat(heard)))
  })
  assert.equal((await said('0000001400000004000000000000000741414141')).toString('hex'), '00000010' + '80000000' + '00000002' + '00000007')
  assert.equal((await said('7fffffff000000040000000000000007')).subarray(4, 12).toString('hex'), '80000000' + '00000002')
  const { session } = await bound(t)
  assert.equal((await ask(session, 'submit_sm', { ...US, short_message: 'alive' })).command_status, smpp.ESME_ROK)
})

test('a phone\'s message comes to the ESME, in parts when it is long, and waits while none is bound', async (t) => {
  const { delivers, bye } = await bound(t, { command: 'bind_receiver' })
  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, 'from a phone €')
  const short = await delivers.next()
  assert.deepEqual([short.esm_class, short.source_addr, short.destination_addr, text(short)], [0, PHONE, digits(NUMBER), 'from a phone €'])
  const long = 'Grüße an alle! '.repeat(12).trim()
  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, long)
  const pieces = [await delivers.next(), await delivers.next()]
  assert.equal(pieces.map(text).join(''), long)
  await bye()
  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, 'while nobody was there')
  assert.equal(text(await (await bound(t, { command: 'bind_receiver' })).delivers.next()), 'while nobody was there')
})

test('what an ESME cannot take now comes again, what it refuses for good does not, and its window is kept', async (t) => {
  let no = 2, at = 0, most = 0
  const held = []
  const { session, delivers, bye } = await bound(t, { answer: (pdu) => (no-- > 0 ? pdu.response({ command_status: smpp.ESME_RX_T_APPN }) : pdu.response()) })
  const { message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'again' })
  for (let i = 0; i < 3; i++) assert.equal((await delivers.next()).receipted_message_id, message_id)
  await bye()
  const hard = await bound(t, { answer: (pdu) => pdu.response({ command_status: smpp.ESME_RX_R_APPN }) })
  const second = await ask(hard.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'refused' })
  await hard.delivers.next()
  await until('line of the refusal', async () => /refused for good: ESME_RX_R_APPN/.test(await ctl('explain', second.message_id)))
  await hard.bye()
  const slow = await bound(t, { answer: (pdu) => { most = Math.max(most, ++at); held.push(pdu); return null } })
  const ids = new Set()
  for (let i = 0; i < 25; i++) ids.add((await ask(slow.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: `n ${i}` })).message_id)
  for (let got = 0; got < 25; got++) {
    const pdu = await slow.delivers.next()
    assert.ok(ids.delete(pdu.receipted_message_id), 'each once')
    if (at >= 10 || got >= 10) await sleep(20)
    while (held.length) { at--; slow.session.send(held.shift().response()) }
  }
  assert.ok(most <= 10, `${most} were unanswered at once`)
})

test('a key that is changed ends the binds of that key alone', async (t) => {
  await ctl('resource', 'add', 'turning')
  const { systemId, password, secondaryPassword } = await keysOf('turning')
  const first = await bound(t, { credentials: { systemId, password }, command: 'bind_transmitter' })
  const second = await bound(t, { credentials: { systemId, password: secondaryPassword }, command: 'bind_transmitter' })
  open.delete(first.session)
  const asked = new Promise((done) => first.session.once('unbind', (pdu) => { first.session.send(pdu.response()); done() }))
  await ctl('resource', 'rotate-key', 'turning', 'primary')
  await asked
  assert.equal((await ask(second.session, 'enquire_link')).command, 'enquire_link_resp')
  const late = await connected(t)
  assert.equal((await ask(late, 'bind_transmitter', { system_id: systemId, password })).command_status, smpp.ESME_RINVPASWD)
})
