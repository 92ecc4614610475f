// A foreign ESME (npm smpp) at our simulated SMSC: kinds of bind, forms of receipts, and the PDUs beyond submit_sm.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import smpp from 'smpp'
import { ask, inbox, simulatedSmsc } from './peer.mjs'

const FROM = { source_addr_ton: 1, source_addr_npi: 1, source_addr: '18335550100' }
const US = { ...FROM, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12065550111', registered_delivery: 1 }

async function connect(t, at) {
  const session = smpp.connect({ host: at.host, port: at.port })
  session.on('error', () => {})
  t.after(() => session.destroy())
  await new Promise((done) => session.once('connect', done))
  return session
}

async function bound(t, at, command, system_id = 'foreign', password = 'any') {
  const session = await connect(t, at)
  const delivers = inbox(session, 'deliver_sm')
  session.on('deliver_sm', (pdu) => session.send(pdu.response()))
  const { command_status } = await ask(session, command, { system_id, password, interface_version: 0x34 })
  return { session, delivers, status: command_status }
}

async function smsc(t, settings = '') {
  const at = await simulatedSmsc(t)
  if (!at.ours) return null
  const behave = async (s) => { at.ours.say(`set ${s}`); assert.equal((await at.ours.next(/^set (.*)$/))[1], 'ok') }
  await behave(settings)
  return { ...at, behave }
}

test('a transmitter\'s receipts and a number\'s replies go to the receiver of the same system_id', async (t) => {
  const at = await smsc(t, 'receiptDelay=1ms')
  const tx = await bound(t, at, 'bind_transmitter'), rx = await bound(t, at, 'bind_receiver'), other = await bound(t, at, 'bind_receiver', 'another')
  const { message_id } = await ask(tx.session, 'submit_sm', { ...US, short_message: 'x' })
  assert.equal((await rx.delivers.next()).receipted_message_id, message_id)
  at.ours.say('inject +12065550111 +18335550100 reply')
  assert.equal((await rx.delivers.next()).short_message.message, 'reply')
  assert.equal((await ask(rx.session, 'submit_sm', { ...US, short_message: 'x' })).command_status, smpp.ESME_RINVBNDSTS)
  await assert.rejects(other.delivers.next(100))
  assert.equal((await ask(rx.session, 'unbind')).command, 'unbind_resp')
})

test('a wrong name, a wrong password and one bind too many are refused by their codes', async (t) => {
  const at = await smsc(t, 'systemId=foreign,password=secret,bindsPerSystemId=2')
  assert.equal((await bound(t, at, 'bind_transceiver', 'stranger', 'secret')).status, smpp.ESME_RINVSYSID)
  assert.equal((await bound(t, at, 'bind_transceiver', 'foreign', 'guess')).status, smpp.ESME_RINVPASWD)
  for (const command of ['bind_transmitter', 'bind_receiver']) assert.equal((await bound(t, at, command, 'foreign', 'secret')).status, smpp.ESME_ROK)
  assert.equal((await bound(t, at, 'bind_transceiver', 'foreign', 'secret')).status, smpp.ESME_RALYBND)
})

const number = (id, base) => BigInt(base === 16 ? `0x${id}` : id)
for (const [settings, answered, receipted] of [['answerId=hex,receiptId=dec', 16, 10], ['receiptId=HEX', 10, 16], ['answerId=HEX,receiptId=hex,receiptIdDigits=20', 16, 16], ['answerIdDigits=18,receiptId=dec', 10, 10]]) {
  test(`ids as ${settings}`, async (t) => {
    const at = await smsc(t, `receiptDelay=1ms,${settings}`)
    const { session, delivers } = await bound(t, at, 'bind_transceiver')
    const { message_id } = await ask(session, 'submit_sm', { ...US, short_message: 'x' })
    const receipt = await delivers.next()
    assert.equal(number(receipt.receipted_message_id, receipted), number(message_id, answered))
    assert.equal(receipt.short_message.message.match(/^id:(\S+)/)[1], receipt.receipted_message_id)
  })
}

test('receipts as text, as TLVs, before the answer, twice, announced, and of a loss', async (t) => {
  const at = await smsc(t, 'receiptDelay=1ms,receiptAs=text')
  const { session, delivers } = await bound(t, at, 'bind_transceiver')
  const send = () => ask(session, 'submit_sm', { ...US, short_message: 'x' })
  await send()
  const text = await delivers.next()
  assert.match(text.short_message.message, /stat:DELIVRD err:000/)
  assert.equal(text.receipted_message_id, undefined)
  await at.behave('receiptDelay=1ms,receiptAs=tlv,lossPercent=100,lossState=expired,lossError=300')
  const lost = await send(), tlv = await delivers.next()
  assert.equal(tlv.receipted_message_id, lost.message_id)
  assert.equal(tlv.message_state, smpp.MESSAGE_STATE.EXPIRED)
  assert.equal(tlv.sm_length ?? (tlv.short_message.message?.length ?? 0), 0)
  assert.equal(Buffer.from(tlv.network_error_code).toString('hex'), '03012c')
  await at.behave('receiptOrder=before,answerDelay=30ms')
  const order = []
  await Promise.all([send().then(() => order.push('answer')), delivers.next().then(() => order.push('receipt'))])
  assert.deepEqual(order, ['receipt', 'answer'])
  await at.behave('receiptDelay=10ms,intermediate=always,receiptTwicePercent=100')
  await send()
  const states = []
  for (let i = 0; i < 3; i++) states.push((await delivers.next()).message_state)
  assert.deepEqual(states, [smpp.MESSAGE_STATE.ENROUTE, smpp.MESSAGE_STATE.DELIVERED, smpp.MESSAGE_STATE.DELIVERED])
})

test('data_sm, submit_multi, query_sm, replace_sm and cancel_sm are served', async (t) => {
  const at = await smsc(t, 'receiptDelay=1ms')
  const { session, delivers } = await bound(t, at, 'bind_transceiver')
  const data = await ask(session, 'data_sm', { ...US, message_payload: 'by data_sm' })
  assert.equal(data.command, 'data_sm_resp')
  assert.ok(await at.ours.next(/ by data_sm$/))
  assert.equal((await delivers.next()).receipted_message_id, data.message_id)
  const multi = await ask(session, 'submit_multi', { ...FROM, registered_delivery: 1, short_message: 'to many', dest_address: [
    { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12065550111' }, { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '12065550152' },
    { dl_name: 'friends' }] })
  assert.equal(multi.command_status, smpp.ESME_ROK)
  assert.deepEqual(multi.unsuccess_sme.map((u) => u.error_status_code), [smpp.ESME_RTHROTTLED, smpp.ESME_RINVDLNAME])
  assert.equal((await delivers.next()).receipted_message_id, multi.message_id)
  const query = (id) => ask(session, 'query_sm', { message_id: id, source_addr_ton: 1, source_addr: FROM.source_addr })
  const known = await query(data.message_id)
  assert.equal(known.message_state, smpp.MESSAGE_STATE.DELIVERED)
  assert.ok(known.final_date)
  assert.equal((await query('7')).command_status, smpp.ESME_RINVMSGID)
  await at.behave('receiptDelay=1h')
  const { message_id } = await ask(session, 'submit_sm', { ...US, destination_addr: '12065550113', short_message: 'first thought' })
  assert.equal((await ask(session, 'replace_sm', { message_id, ...FROM, registered_delivery: 1, short_message: 'second thought' })).command_status, smpp.ESME_ROK)
  assert.equal((await query(message_id)).message_state, smpp.MESSAGE_STATE.ENROUTE)
  assert.equal((await ask(session, 'cancel_sm', { message_id, ...FROM, dest_addr_ton: 1, destination_addr: '12065550113' })).command_status, smpp.ESME_ROK)
  assert.equal((await delivers.next()).message_state, smpp.MESSAGE_STATE.DELETED)
  assert.equal((await ask(session, 'cancel_sm', { message_id, ...FROM })).command_status, smpp.ESME_RCANCELFAIL)
})

test('long messages come as SAR parts and as a payload, and link cuts and outages are what they are called', async (t) => {
  const at = await smsc(t, 'longAs=sar')
  const { session, delivers } = await bound(t, at, 'bind_transceiver')
  const long = 'All work and no play makes a dull test. '.repeat(6).trim()
  at.ours.say(`inject +12065550111 +18335550100 ${long}`)
  const parts = [await delivers.next(), await delivers.next()]
  assert.deepEqual(parts.map((p) => [p.sar_total_segments, p.sar_segment_seqnum]), [[2, 1], [2, 2]])
  assert.equal(parts.map((p) => p.short_message.message).join(''), long)
  await at.behave('longAs=payload,cutEvery=2')
  at.ours.say(`inject +12065550111 +18335550100 ${long}`)
  const whole = await delivers.next()
  assert.equal(whole.message_payload.message ?? whole.message_payload, long)
  const closed = new Promise((done) => session.once('close', done))
  for (let i = 0; i < 2; i++) assert.equal((await ask(session, 'submit_sm', { ...US, short_message: 'x' })).command_status, smpp.ESME_ROK)
  await closed
})
