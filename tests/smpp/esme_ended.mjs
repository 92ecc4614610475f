// What ends an ESME's leave to send, while it is bound: its account is suspended, its resource deleted, its keys are taken out of use.
// Started by test_esme_held.sh.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import smpp from 'smpp'
import { bound, connected, ctl, ctlJson, keysOf, leave, PHONE, until, US } from './esme_of.mjs'
import { ask } from './peer.mjs'

const { NUMBER, SERVER_LOG, API } = process.env
const refusals = () => [...readFileSync(SERVER_LOG, 'utf8').matchAll(/(\w+) refused, (ESME_\w+); why: carterfone explain (\S+)/g)]

test('an account is suspended: what it submits is refused by its rule, all else goes on; resumed, it sends again', async (t) => {
  const esme = await bound(t), { session, delivers } = esme
  const { message_id } = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, schedule_delivery_time: '000000010000000R', short_message: 'accepted before' })
  await ctl('account', 'suspend', 'default')
  const { destination_addr, ...sender } = US
  const begun = refusals().length
  const tried = [
    ['submit_sm', { ...US, short_message: 'x' }],
    ['data_sm', { ...US, message_payload: 'x' }],
    ['submit_multi', { ...sender, short_message: 'x', dest_address: [{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr }] }],
    ['submit_sm', { ...US, short_message: { udh: Buffer.from([5, 0, 3, 9, 2, 1]), message: 'the first of two' } }],
  ]
  for (const [command, fields] of tried) {
    const answer = await ask(session, command, fields)
    assert.deepEqual([answer.command, answer.command_status], [`${command}_resp`, smpp.ESME_RSUBMITFAIL])
  }
  const told = refusals().slice(begun)
  assert.deepEqual(told.map(([, command, status]) => [command, status]), tried.map(([command]) => [command, 'ESME_RSUBMITFAIL']))
  for (const [, , , guid] of told) {
    const explained = await ctl('explain', guid)
    assert.match(explained, /rule +SubscriptionNotActive/)
    assert.match(explained, /answer +ESME_RSUBMITFAIL/)
  }

  await ctl('handset', 'sms', `+${PHONE}`, '--to', NUMBER, 'to a suspended account')
  assert.equal((await delivers.next()).short_message.message, 'to a suspended account')
  const named = { message_id, source_addr_ton: 1, source_addr_npi: 1, source_addr: US.source_addr }
  assert.equal((await ask(session, 'query_sm', named)).message_state, smpp.MESSAGE_STATE.ENROUTE)
  assert.equal((await ask(session, 'cancel_sm', { ...named, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr })).command_status, smpp.ESME_ROK)
  assert.equal((await delivers.next()).message_state, smpp.MESSAGE_STATE.DELETED)
  await leave(await bound(t, { command: 'bind_transmitter' }))

  await ctl('account', 'resume', 'default')
  const again = await ask(session, 'submit_sm', { ...US, registered_delivery: 1, short_message: 'again' })
  assert.equal(again.command_status, smpp.ESME_ROK)
  assert.equal((await delivers.next()).receipted_message_id, again.message_id)
  await leave(esme)
})

/** Resolves when the server has unbound it and the link is gone. */
const unbound = ({ session, gone }) => new Promise((done) => session.once('unbind', (pdu) => { session.send(pdu.response()); done(gone) }))
const tries = async (t, { systemId: system_id, password }) => (await ask((await connected(t)).session, 'bind_transceiver', { system_id, password })).command_status

test('a resource is deleted: its ESMEs are unbound, and bind no more; those of others stay', async (t) => {
  await ctl('resource', 'add', 'leaving')
  const credentials = await keysOf('leaving')
  const both = [await bound(t, { resource: 'leaving' }), await bound(t, { resource: 'leaving', command: 'bind_transmitter' })]
  const other = await bound(t)
  const ends = both.map(unbound)
  await ctl('resource', 'delete', 'leaving')
  await Promise.all(ends)
  assert.equal(await tries(t, credentials), smpp.ESME_RINVPASWD)
  assert.equal((await ask(other.session, 'enquire_link')).command, 'enquire_link_resp')
  await leave(other)
})

test('keys are taken out of use: unbound, until they are given back', async (t) => {
  await ctl('resource', 'add', 'paused')
  const credentials = await keysOf('paused')
  const { accessToken, token = accessToken } = await ctlJson('token', '--operator')
  const { id } = await ctlJson('account', 'show', 'default')
  const change = async (properties) => {
    const path = `subscriptions/${id}/resourceGroups/default/providers/Microsoft.Communication/communicationServices/paused?api-version=2025-09-01`
    const answer = await fetch(`${API}/${path}`, { method: 'PATCH', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify({ properties }) })
    assert.equal(answer.status, 200, await answer.text())
  }
  const end = unbound(await bound(t, { resource: 'paused' }))
  await change({ disableLocalAuth: true })
  await end
  assert.equal(await tries(t, credentials), smpp.ESME_RINVPASWD)
  await change({ disableLocalAuth: false })
  await until('bind', async () => await tries(t, credentials) === smpp.ESME_ROK)
})
