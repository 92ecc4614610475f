// An ESME (npm smpp) over each limit of --smpp-limits. Started by test_esme_limits.sh, which says where the server is (AT) and with
// which NUMBER: those named "many" at one with binds=2,links=6,window=3,submits=20, those named "long" at one with
// bind=1s,enquire=1s,answer=1s,idle=3s.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { connected, ctl, keysOf, leave, until, US } from './esme_of.mjs'
import { ask, inbox } from './peer.mjs'

const { systemId: system_id, password } = await keysOf('default')
const bind = ({ session }, command = 'bind_transmitter', who = { system_id, password }) => ask(session, command, who)
async function bound(t, command) {
  const one = await connected(t)
  assert.equal((await bind(one, command)).command_status, smpp.ESME_ROK)
  return one
}

test('many binds: one over the limit is refused, until another has left; other resources have their own', async (t) => {
  const first = await bound(t), second = await bound(t, 'bind_receiver'), third = await connected(t)
  assert.equal((await bind(third, 'bind_transceiver')).command_status, smpp.ESME_RBINDFAIL)
  await ctl('resource', 'add', 'another')
  const { systemId, password: theirs } = await keysOf('another')
  const other = await connected(t)
  assert.equal((await bind(other, 'bind_transmitter', { system_id: systemId, password: theirs })).command_status, smpp.ESME_ROK)
  await leave(first)
  assert.equal((await bind(third)).command_status, smpp.ESME_ROK)
  for (const one of [second, third, other]) await leave(one)
})

test('many links: one over the limit is closed at once', async (t) => {
  const links = []
  for (let i = 0; i < 6; i++) links.push(await connected(t))
  const over = await connected(t)
  await over.gone
  for (const { session } of links.slice(0, 5)) session.destroy()
  await leave(await until('room again', async () => {
    const one = await connected(t)
    const answered = await Promise.race([bind(one), one.gone])
    return answered?.command_status === smpp.ESME_ROK && one
  }))
})

test('many deliver_sm: no more than the window are unanswered', async (t) => {
  const one = await bound(t, 'bind_transceiver')
  const held = inbox(one.session, 'deliver_sm')
  const wanted = new Set()
  for (let i = 0; i < 8; i++) wanted.add((await ask(one.session, 'submit_sm', { ...US, registered_delivery: 1, short_message: `n ${i}` })).message_id)
  const unanswered = [await held.next(), await held.next(), await held.next()]
  await assert.rejects(held.next(500), 'a fourth while three are unanswered')
  for (let got = 0; got < 8; got++) {
    const pdu = unanswered.shift() ?? await held.next()
    assert.ok(wanted.delete(pdu.receipted_message_id), 'each once')
    one.session.send(pdu.response())
  }
  await leave(one)
})

test('many submits: those over the limit are throttled, and cost the others nothing', async (t) => {
  const one = await bound(t)
  const asked = []
  one.session.socket.cork()
  for (let i = 0; i < 200; i++) asked.push(ask(one.session, 'submit_sm', { ...US, short_message: `burst ${i}` }))
  one.session.socket.uncork()
  const said = (await Promise.all(asked)).map((answer) => answer.command_status)
  const taken = said.filter((status) => status === smpp.ESME_ROK).length
  assert.equal(said.filter((status) => status === smpp.ESME_RTHROTTLED).length, 200 - taken)
  assert.ok(taken >= 20 && taken < 200, `${taken} of 200 were taken`)
  assert.equal((await ask(one.session, 'submit_sm', { ...US, short_message: 'afterwards' })).command_status, smpp.ESME_ROK)
  await leave(one)
})

test('long without a bind: the link is closed', async (t) => {
  const begun = Date.now(), { session, gone } = await connected(t)
  let asked = 0
  session.on('enquire_link', () => asked++)
  await gone
  assert.ok(Date.now() - begun > 900, 'not before its time')
  assert.equal(asked, 0)
})

test('long silence: enquire_link, and without an answer the end', async (t) => {
  const begun = Date.now(), { session, gone } = await bound(t)
  await new Promise((done) => session.once('enquire_link', done))
  assert.ok(Date.now() - begun > 900, 'not before its time')
  await gone
  assert.ok(Date.now() - begun > 1800, 'it has time to answer')
})

test('long without a message: unbound, though enquire_link is answered; who sends stays', async (t) => {
  const idle = await bound(t), busy = await bound(t), begun = Date.now()
  let asked = 0
  for (const { session } of [idle, busy]) {
    session.on('enquire_link', (pdu) => { asked++; session.send(pdu.response()) })
    session.on('unbind', (pdu) => session.send(pdu.response()))
  }
  let over = false, unbound = false
  idle.session.once('unbind', () => { unbound = true })
  idle.gone.then(() => { over = true })
  while (!over || Date.now() - begun < 4000) {
    assert.equal((await ask(busy.session, 'submit_sm', { ...US, short_message: 'busy' })).command_status, smpp.ESME_ROK)
    await sleep(200)
  }
  assert.ok(unbound && asked > 0)
  await leave(busy)
})
