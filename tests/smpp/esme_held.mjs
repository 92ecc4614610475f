// What still waits, asked about by the ESME that submitted it. Started by test_esme_held.sh; those named "kept" leave what those
// named "after" look at behind a kill -9.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import smpp from 'smpp'
import { bound, ctl, ctlJson, leave, receiptOf, until, US } from './esme_of.mjs'
import { ask } from './peer.mjs'

const { NUMBER, KEPT } = process.env
const { ENROUTE, DELETED, DELIVERED } = smpp.MESSAGE_STATE
const from = { source_addr_ton: 1, source_addr_npi: 1, source_addr: NUMBER.slice(1) }
const to = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: US.destination_addr }
const HOUR = '000000010000000R'

/** Two that wait are asked about, replaced and cancelled; `release` lets the other go. */
async function whileHeld(t, why, hold, release, fields = {}) {
  const esme = await bound(t), { session, delivers } = esme
  const status = async (command, body) => (await ask(session, command, body)).command_status
  const state = async (message_id) => { const answer = await ask(session, 'query_sm', { ...from, message_id }); assert.equal(answer.command_status, smpp.ESME_ROK); return answer }
  const submit = async (short_message) => {
    const answer = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, ...fields, short_message })
    assert.equal(answer.command_status, smpp.ESME_ROK)
    return answer.message_id
  }
  await hold(session)
  const gone = await submit('to be cancelled'), kept = await submit('to be replaced')
  const waits = await until(`one that waits for ${why}`, async () => (await ctlJson('sms', 'show', kept)).waiting)
  assert.equal(waits.for, why)

  const before = await state(kept)
  assert.deepEqual([before.message_id, before.message_state, before.final_date, before.error_code], [kept, ENROUTE, '', 0])
  assert.equal(await status('replace_sm', { ...from, message_id: kept, source_addr: '18335550100', short_message: 'x' }), smpp.ESME_RINVMSGID)
  assert.equal(await status('replace_sm', { ...from, message_id: kept, schedule_delivery_time: HOUR, short_message: 'x' }), smpp.ESME_RINVSCHED)
  const text = `replaced while it waited for ${why}: ${'long '.repeat(35)}`.trim()       // two segments instead of one
  assert.equal(await status('replace_sm', { ...from, message_id: kept, registered_delivery: 1, short_message: text }), smpp.ESME_ROK)
  assert.equal((await state(kept)).message_state, ENROUTE)
  const still = await ctlJson('sms', 'show', kept)
  assert.deepEqual([still.message, still.segments.length || still.segments, still.waiting.for], [text, 2, why])

  assert.equal(await status('cancel_sm', { ...from, ...to, message_id: gone, destination_addr: '12065550112' }), smpp.ESME_RINVMSGID)
  assert.equal(await status('cancel_sm', { ...from, ...to, message_id: '' }), smpp.ESME_RCANCELFAIL)
  assert.equal(await status('cancel_sm', { ...from, ...to, message_id: gone }), smpp.ESME_ROK)
  const told = await delivers.next()
  assert.deepEqual([told.receipted_message_id, told.message_state, receiptOf(told).stat], [gone, DELETED, 'DELETED'])
  const over = await state(gone)
  assert.equal(over.message_state, DELETED)
  assert.ok(over.final_date)
  assert.equal(await status('cancel_sm', { ...from, ...to, message_id: gone }), smpp.ESME_RCANCELFAIL)
  assert.equal(await status('replace_sm', { ...from, message_id: gone, short_message: 'x' }), smpp.ESME_RREPLACEFAIL)

  await release()
  const arrived = await delivers.next(20000)
  assert.deepEqual([arrived.receipted_message_id, receiptOf(arrived).stat], [kept, 'DELIVRD'])
  assert.equal((await state(kept)).message_state, DELIVERED)
  assert.equal((await ctlJson('sms', 'show', kept)).message, text)
  assert.equal(await status('cancel_sm', { ...from, ...to, message_id: kept }), smpp.ESME_RCANCELFAIL)
  assert.equal(await status('replace_sm', { ...from, message_id: kept, short_message: 'x' }), smpp.ESME_RREPLACEFAIL)
  await leave(esme)
}

test('waits for its time', (t) => whileHeld(t, 'schedule', async () => {}, () => ctl('clock', 'advance', '61m'), { schedule_delivery_time: HOUR }))

test('waits for the end of its recipient\'s night', (t) => {
  const hold = async () => {
    const now = Date.parse((await ctlJson('clock', 'show')).productTime)
    const at = (ms) => new Date(ms).toLocaleTimeString('en-GB', { timeZone: 'America/Los_Angeles', hour: '2-digit', minute: '2-digit' })
    await ctl('guard', 'add', 'night', '--kind', 'quiet', '--match', '*', '--from', at(now - 3600e3), '--until', at(now + 3 * 3600e3))
  }
  return whileHeld(t, 'quietHours', hold, async () => { await ctl('clock', 'advance', '3h1m'); await ctl('guard', 'remove', 'night') })
})

test('waits for the limit of its sender', (t) => {
  const hold = async (session) => {
    await ctl('guard', 'add', 'slow', '--kind', 'sender', '--match', NUMBER, '--count', '1', '--per', '1h', '--wait')
    await ask(session, 'submit_sm', { ...US, short_message: 'has the place of this hour' })
  }
  return whileHeld(t, 'sender', hold, () => ctl('guard', 'remove', 'slow'))
})

test('waits for room in the window of its carrier', (t) => {
  const hold = async (session) => {
    await ctl('sim', 'smsc', 'set', 'answerDelay=3s')
    const { destination_addr, ...sender } = US
    for (let k = 0; k < 15; k++) {
      const dest_address = Array.from({ length: 100 }, (_, i) => ({ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: `1206555${1000 + 100 * k + i}` }))
      assert.equal((await ask(session, 'submit_multi', { ...sender, short_message: 'fills a window', dest_address })).command_status, smpp.ESME_ROK)
    }
  }
  return whileHeld(t, 'carrier', hold, () => ctl('sim', 'smsc', 'set', 'answerDelay='))
})

test('kept through kill -9: one is replaced, one cancelled', async (t) => {
  const esme = await bound(t), { session, delivers } = esme
  const submit = async (short_message) => (await ask(session, 'submit_sm', { ...US, registered_delivery: 1, schedule_delivery_time: HOUR, short_message })).message_id
  const gone = await submit('nobody shall read this'), kept = await submit('nor this')
  assert.equal((await ask(session, 'replace_sm', { ...from, message_id: kept, registered_delivery: 1, short_message: 'but this' })).command_status, smpp.ESME_ROK)
  assert.equal((await ask(session, 'cancel_sm', { ...from, ...to, message_id: gone })).command_status, smpp.ESME_ROK)
  assert.equal((await delivers.next()).receipted_message_id, gone)
  await leave(esme)
  writeFileSync(KEPT, JSON.stringify({ gone, kept }))
})

test('after kill -9 both are as they were changed', async (t) => {
  const { gone, kept } = JSON.parse(readFileSync(KEPT, 'utf8'))
  const esme = await bound(t), { session, delivers } = esme
  const state = async (message_id) => (await ask(session, 'query_sm', { ...from, message_id })).message_state
  assert.deepEqual([await state(gone), await state(kept)], [DELETED, ENROUTE])
  await ctl('clock', 'advance', '61m')
  assert.deepEqual(receiptOf(await delivers.next()), { id: kept, stat: 'DELIVRD', err: '000' })
  assert.equal((await ctlJson('sms', 'show', kept)).message, 'but this')
  await assert.rejects(delivers.next(300))
  await leave(esme)
})
