// libsmpp34 as an ESME at the product's server: every PDU it has, in both directions. Started by test_strict34.sh.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ctl, ctlJson, keysOf, PHONE } from './esme_of.mjs'
import { strict34 } from './strict34.mjs'

const { AT, NUMBER } = process.env
const port = AT.split(':')[1], from = NUMBER.slice(1)
const US = { source_addr_ton: 1, source_addr_npi: 1, source_addr: from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: PHONE }
const STATUS = { OK: '0', INVMSGLEN: '1', INVCMDID: '3', INVBNDSTS: '4', INVSRCADR: '10', INVDSTADR: '11', INVMSGID: '12', INVPASWD: '14', CANCELFAIL: '17', REPLACEFAIL: '19' }
const HOUR = '000000010000000R'
const { systemId: system_id, password } = await keysOf('default')
const ok = (answer, command) => assert.deepEqual([answer.command, answer.command_status], [command, STATUS.OK])

test('every PDU of libsmpp34, as it writes them, is served, and every one of ours is as it writes them', async (t) => {
  const theirs = strict34(t)
  const bound = async (command) => {
    const link = await theirs.connect(port)
    Object.assign(link.answer, { deliver_sm: {}, unbind: {}, enquire_link: {} })
    const answer = await link.ask(command, { system_id, password, system_type: 'VMA', interface_version: 0x34, addr_ton: 1, addr_npi: 1, address_range: '' })
    ok(answer, `${command}_resp`)
    assert.deepEqual([answer.system_id, answer.tlv['0210']], ['carterfone', Buffer.from([0x34])])
    return link
  }
  const wrong = await theirs.connect(port)
  const no = await wrong.ask('bind_transceiver', { system_id, password: 'wrong', interface_version: 0x34 })
  assert.deepEqual([no.command, no.command_status], ['bind_transceiver_resp', STATUS.INVPASWD])
  assert.equal((await wrong.ask('submit_sm', { ...US, sm_length: 0, short_message: 'x' })).command_status, STATUS.INVBNDSTS)
  for (const [command, fields] of [['outbind', { system_id: 'x', password: 'y' }], ['alert_notification', { source_addr: '1', esme_addr: '2' }]]) {
    const nack = await wrong.ask(command, fields)
    assert.deepEqual([nack.command, nack.command_status], ['generic_nack', STATUS.INVCMDID])
  }
  wrong.close()

  const sender = await bound('bind_transmitter'), receiver = await bound('bind_receiver'), both = await bound('bind_transceiver')
  const receipt = async (id) => {         /* by either of the two */
    const first = await theirs.next('deliver_sm', (it) => it.tlv['001e']?.toString('latin1').replace(/\0$/, '') === id)
    assert.equal(first.esm_class, '4')
    assert.match(first.short_message.toString('latin1'), new RegExp(`^id:${id} sub:\\d{3} dlvrd:\\d{3} submit date:\\d{10} done date:\\d{10} stat:`))
    return first
  }

  const sent = await sender.ask('submit_sm', { ...US, registered_delivery: 1, short_message: 'by libsmpp34 @', tlv: { '0204': '\x12\x34' } })
  ok(sent, 'submit_sm_resp')
  const told = await receipt(sent.message_id)
  assert.deepEqual([told.tlv['0427'], told.tlv['0204'], told.source_addr, told.destination_addr], [Buffer.from([2]), Buffer.from([0x12, 0x34]), PHONE, from])
  const failed = await sender.ask('submit_sm', { ...US, destination_addr: '12065550160', registered_delivery: 1, short_message: 'fails' })
  assert.deepEqual((await receipt(failed.message_id)).tlv['0423'], Buffer.from([3, 0, 1]))

  const payload = await both.ask('data_sm', { ...US, esm_class: 0, registered_delivery: 1, data_coding: 8, tlv: { '0424': Buffer.from('Привет', 'utf16le').swap16() } })
  ok(payload, 'data_sm_resp')
  await receipt(payload.message_id)
  assert.equal((await ctlJson('sms', 'show', payload.message_id)).message, 'Привет')
  const halves = []
  for (const [part, text] of [[1, 'first '], [2, 'second']])
    halves.push(await both.ask('submit_sm', { ...US, registered_delivery: 1, short_message: text, tlv: { '020c': '\x01\x2c', '020e': '\x02', '020f': String.fromCharCode(part) } }))
  for (const half of halves) await receipt(half.message_id)
  assert.equal((await ctlJson('sms', 'show', halves[1].message_id)).message, 'first second')

  const { destination_addr, dest_addr_ton, dest_addr_npi, ...sourced } = US
  const many = await sender.ask('submit_multi', { ...sourced, registered_delivery: 1, short_message: 'to many', dest: ['1,1,12065550112', '1,1,44'] })
  ok(many, 'submit_multi_resp')
  assert.deepEqual([many.no_unsuccess, many.unsuccess], ['1', [`1,1,44,${STATUS.INVDSTADR}`]])
  await receipt(many.message_id)
  const list = await sender.ask('submit_multi', { ...sourced, short_message: 'x', dest: ['list,friends'] })
  assert.equal(list.command_status, '52')

  const later = await sender.ask('submit_sm', { ...US, registered_delivery: 1, schedule_delivery_time: HOUR, short_message: 'in an hour' })
  const named = { message_id: later.message_id, source_addr_ton: 1, source_addr_npi: 1, source_addr: from }
  const waits = await sender.ask('query_sm', named)
  ok(waits, 'query_sm_resp')
  assert.deepEqual([waits.message_id, waits.message_state, waits.final_date, waits.error_code], [later.message_id, '1', '', '0'])
  ok(await sender.ask('replace_sm', { ...named, registered_delivery: 1, short_message: 'another text' }), 'replace_sm_resp')
  assert.equal((await ctlJson('sms', 'show', later.message_id)).message, 'another text')
  ok(await sender.ask('cancel_sm', { ...named, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: PHONE }), 'cancel_sm_resp')
  assert.deepEqual((await receipt(later.message_id)).tlv['0427'], Buffer.from([4]))
  const over = await sender.ask('query_sm', named)
  assert.deepEqual([over.message_state, over.final_date.length], ['4', 16])
  for (const [command, status] of [['cancel_sm', STATUS.CANCELFAIL], ['replace_sm', STATUS.REPLACEFAIL]])
    assert.equal((await sender.ask(command, { ...named, ...(command === 'cancel_sm' ? { destination_addr: '' } : { short_message: 'x' }) })).command_status, status)
  assert.equal((await sender.ask('query_sm', { ...named, message_id: 'unknown' })).command_status, STATUS.INVMSGID)
  const refused = await sender.ask('submit_sm', { ...US, source_addr: '18335550199', short_message: 'x' })
  assert.deepEqual([refused.command, refused.command_status], ['submit_sm_resp', STATUS.INVSRCADR])

  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, 'Grüße an alle! '.repeat(12).trim())
  const parts = [await theirs.next('deliver_sm', (it) => it.esm_class === '64'), await theirs.next('deliver_sm', (it) => it.esm_class === '64')]
  assert.deepEqual(parts.map((it) => it.short_message.subarray(0, 3).toString('hex')), ['050003', '050003'])
  ok(await receiver.ask('enquire_link'), 'enquire_link_resp')
  for (const link of [sender, receiver]) {
    ok(await link.ask('unbind'), 'unbind_resp')
    await link.left()
  }
  await ctl('resource', 'rotate-key', 'default', 'primary')         // both's key: it is unbound
  await theirs.next('unbind', (it) => it.link === both)
  await both.left()
  await theirs.stop()
  const missing = ['bind_transmitter_resp', 'bind_receiver_resp', 'bind_transceiver_resp', 'submit_sm_resp', 'submit_multi_resp', 'data_sm_resp', 'query_sm_resp',
    'cancel_sm_resp', 'replace_sm_resp', 'deliver_sm', 'enquire_link_resp', 'unbind', 'unbind_resp', 'generic_nack'].filter((command) => !theirs.seen[command])
  assert.deepEqual(missing, [])
})
