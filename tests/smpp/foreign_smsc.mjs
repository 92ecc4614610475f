// Our SMPP edge at a foreign SMSC (npm smpp): what it says, and what it makes of answers, receipts, replies and losses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import smpp from 'smpp'
import { ask, inbox, peer } from './peer.mjs'

/** A foreign SMSC; each link that binds comes from links.next(), submits are answered by `answer`. */
async function smsc(t, answer = (pdu, n) => pdu.response({ message_id: `F${n}` })) {
  const links = [], waiting = [], submits = []
  let n = 0
  const server = smpp.createServer((session) => {
    session.on('error', () => {})
    session.on('bind_transceiver', (pdu) => {
      session.send(pdu.response({ system_id: 'foreign' }))
      const done = waiting.shift()
      if (done) done({ session, bind: pdu }); else links.push({ session, bind: pdu })
    })
    session.on('enquire_link', (pdu) => session.send(pdu.response()))
    session.on('unbind', (pdu) => { session.send(pdu.response()); session.close() })
    session.on('submit_sm', (pdu) => { submits.push(pdu); const a = answer(pdu, ++n, session); if (a) session.send(a) })
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { for (const s of server.sessions) s.destroy(); server.close() })
  const next = () => links.length ? Promise.resolve(links.shift()) : new Promise((done) => waiting.push(done))
  return { port: server.address().port, links: { next }, submits, server }
}

const us = (t, at, ...more) => peer(t, 'esme', '127.0.0.1', String(at.port), ...more)

test('it binds by the book and its submits are read as meant', async (t) => {
  const at = await smsc(t)
  const edge = us(t, at)
  const { bind } = await at.links.next()
  assert.deepEqual([bind.system_id, bind.password, bind.interface_version], ['esme', 'secret', 0x34])
  await edge.next(/^up$/)
  edge.say('submit 7 +18335550100 +12065550111 hello @ {€} ñ')
  await edge.next(/^submitted 7 0 1 F1$/)
  const [pdu] = at.submits
  assert.equal(pdu.short_message.message, 'hello @ {€} ñ')
  assert.deepEqual([pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr], [1, 1, '18335550100'])
  assert.deepEqual([pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr], [1, 1, '12065550111'])
  assert.deepEqual([pdu.data_coding, pdu.registered_delivery, pdu.esm_class], [0, 1, 0])
  edge.say('submit 8 48484 +12065550111 Привет 👍')
  await edge.next(/^submitted 8 0 1 F2$/)
  assert.equal(at.submits[1].data_coding, 8)
  assert.equal(at.submits[1].short_message.message, 'Привет 👍')
  assert.equal(at.submits[1].source_addr, '48484')
  await edge.stop()
})

test('a long message leaves in parts that a foreign reader joins', async (t) => {
  const at = await smsc(t)
  const edge = us(t, at)
  await edge.next(/^up$/)
  const text = 'Grüße an alle! '.repeat(25).trim()
  edge.say(`submit 9 +18335550100 +12065550111 ${text}`)
  for (let i = 0; i < 3; i++) await edge.next(new RegExp(`^submitted 9 ${i} 3 F${i + 1}$`))
  assert.equal(at.submits.map((p) => p.short_message.message).join(''), text)
  assert.ok(at.submits.every((p) => p.esm_class & 0x40))
  await edge.stop()
})

test('throttled, it waits and keeps the order; refused for good, it says so and goes on', async (t) => {
  let busy = 3
  const at = await smsc(t, (pdu, n) => busy-- > 0 ? pdu.response({ command_status: busy % 2 ? smpp.ESME_RMSGQFUL : smpp.ESME_RTHROTTLED })
    : pdu.short_message.message === 'bad' ? pdu.response({ command_status: smpp.ESME_RINVDSTADR }) : pdu.response({ message_id: `F${n}` }))
  const edge = us(t, at, '1')
  await edge.next(/^up$/)
  for (const [key, text] of [[1, 'a'], [2, 'bad'], [3, 'c']]) edge.say(`submit ${key} +18335550100 +12065550111 ${text}`)
  await edge.next(/^submitted 1 0 1 F4$/)
  await edge.next(/^refused 2 11$/)
  await edge.next(/^submitted 3 0 1 F6$/)
  assert.deepEqual(at.submits.map((p) => p.short_message.message), ['a', 'a', 'a', 'a', 'bad', 'c'])
  await edge.stop()
})

test('a receipt is answered when it was settled, and put back when it could not be', async (t) => {
  const at = await smsc(t)
  const edge = us(t, at)
  const { session } = await at.links.next()
  await edge.next(/^up$/)
  const deliver = (fields) => ask(session, 'deliver_sm', { source_addr_ton: 1, source_addr: '12065550111', dest_addr_ton: 1,
    destination_addr: '18335550100', ...fields })
  const text = 'id:F77 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:hi'
  let answered = false
  const first = deliver({ esm_class: 4, short_message: text }).then((a) => { answered = true; return a })
  const [, token] = await edge.next(/^receipt (\d+) F77 0 0 \+12065550111 \+18335550100$/)
  await sleep(100)
  assert.equal(answered, false)
  edge.say(`settle ${token} ok`)
  assert.equal((await first).command_status, smpp.ESME_ROK)
  const second = deliver({ esm_class: 4, short_message: '', receipted_message_id: 'F78', message_state: 5 })      // TLVs alone
  const [, other] = await edge.next(/^receipt (\d+) F78 3 0 /)
  edge.say(`settle ${other} fail`)
  assert.equal((await second).command_status, smpp.ESME_RX_T_APPN)
  const reply = deliver({ short_message: 'STOP' })
  const [, third] = await edge.next(/^inbound (\d+) \+12065550111 \+18335550100 1 STOP$/)
  edge.say(`settle ${third} ok`)
  assert.equal((await reply).command_status, smpp.ESME_ROK)
  await edge.stop()
})

test('parts of a reply are told as one', async (t) => {
  const at = await smsc(t)
  const edge = us(t, at)
  const { session } = await at.links.next()
  await edge.next(/^up$/)
  const part = (i, message) => ask(session, 'deliver_sm', { source_addr_ton: 1, source_addr: '12065550111', dest_addr_ton: 1,
    destination_addr: '18335550100', short_message: { udh: Buffer.from([6, 8, 4, 1, 2, 2, i]), message } })
  const answers = [part(2, 'there'), part(1, 'hello ')]
  const [, token] = await edge.next(/^inbound (\d+) \+12065550111 \+18335550100 2 hello there$/)
  edge.say(`settle ${token} ok`)
  for (const a of answers) assert.equal((await a).command_status, smpp.ESME_ROK)
  await edge.stop()
})

test('a lost link loses what was not answered, and it binds again', async (t) => {
  let mute = true
  const at = await smsc(t, (pdu, n) => mute ? null : pdu.response({ message_id: `F${n}` }))
  const edge = us(t, at)
  const { session } = await at.links.next()
  await edge.next(/^up$/)
  edge.say('submit 1 +18335550100 +12065550111 a')
  edge.say('submit 2 +18335550100 +12065550112 b')
  while (at.submits.length < 2) await sleep(10)
  mute = false
  session.destroy()
  await edge.next(/^down$/)
  await edge.next(/^lost 1$/)
  await edge.next(/^lost 2$/)
  await at.links.next()
  await edge.next(/^up$/)
  edge.say('submit 1 +18335550100 +12065550111 a')
  await edge.next(/^submitted 1 0 1 F3$/)
  await edge.stop()
})

test('unbound by the SMSC it says goodbye, nacks nonsense, and stops with an unbind', async (t) => {
  const at = await smsc(t)
  const edge = us(t, at)
  const one = await at.links.next()
  assert.equal((await ask(one.session, 'unbind')).command, 'unbind_resp')
  const two = await at.links.next()
  const nacks = inbox(two.session, 'generic_nack')
  two.session.socket.write(Buffer.from('0000001400000005000000000000000741414141', 'hex'))
  const nack = await nacks.next()
  assert.deepEqual([nack.command_status, nack.sequence_number], [smpp.ESME_RINVCMDLEN, 7])
  assert.equal((await ask(two.session, 'enquire_link')).command, 'enquire_link_resp')
  const bye = inbox(two.session, 'unbind')
  await Promise.all([bye.next(), edge.stop()])
})
