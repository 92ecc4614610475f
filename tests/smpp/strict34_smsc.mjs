// libsmpp34 as the SMSC that the product binds to: every PDU our client has, in both directions. Started by test_strict34.sh, which
// names the server's process: the last test ends it. What libsmpp34 cannot write (a PDU cut short, a command_id that SMPP does not have,
// a refusal that is a head alone) is left to npm `smpp` (foreign_smsc.mjs) and tests/unit/net/test_smpp_session.c.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as esmeOf from './esme_of.mjs'
import { strict34, within } from './strict34.mjs'

const { AT, NUMBER, SERVER } = process.env
let failed = false
/* One that fails ends it: each wait has its limit, and the next ones would wait for the same. */
const step = (name, run) => test(name, { timeout: 15000 }, async (t) => {
  if (failed) return t.skip('one before it failed')
  failed = true
  await run(t)
  failed = false
})
const from = NUMBER.slice(1)
const STATUS = { OK: '0', INVCMDID: '3', INVDSTADR: '11', INVPASWD: '14', CANCELFAIL: '17', REPLACEFAIL: '19', RX_T_APPN: '100', RX_P_APPN: '101' }
const STATE = { ENROUTE: 1, DELIVERED: 2, DELETED: 4, UNDELIVERABLE: 5 }
/* --resource: strict34_esme has rotated the key that the ready file has */
const ctl = (...words) => within(esmeOf.ctl(...words, ...(words[0] === 'sms' ? ['--resource', 'default'] : [])), words.join(' '))
const ctlJson = async (...words) => JSON.parse(await ctl(...words, '--json'))
const ok = (answer, command) => assert.deepEqual([answer.command, answer.command_status], [command, STATUS.OK])
const ucs2 = (text) => Buffer.from(text, 'utf16le').swap16()
const number = (octets) => octets.readUIntBE(0, octets.length)
const text = (octets) => octets.toString('latin1')
const nack = (command_status) => ({ command: 'generic_nack', command_status })

/** An SMSC that lets everybody in and takes everything, but for what `answer` says. */
async function listening(t, answer = {}) {
  let n = 0
  const bind = { system_id: 'strict', tlv: { '0210': '\x34' } }, take = () => ({ message_id: `aB${++n}` })
  const smsc = strict34(t, { answer: { bind_transceiver: bind, bind_transmitter: bind, bind_receiver: bind, enquire_link: {}, unbind: {}, submit_sm: take, data_sm: take, ...answer } })
  return Object.assign(smsc, { port: await smsc.listen() })
}

const add = (smsc, name, system, ...flags) => ctl('smsc', 'add', name, '--host', `127.0.0.1:${smsc.port}`, '--system-id', system, '--password', 'secret', '--simulated', ...flags)
const bindAt = async (smsc, system, as = 'transceiver') => {
  const bind = await smsc.next(`bind_${as}`, (it) => it.system_id === system)
  assert.deepEqual([bind.password, bind.system_type, bind.interface_version, bind.addr_ton, bind.addr_npi, bind.address_range], ['secret', '', '52', '0', '0', ''])
  return bind.link
}
let tens = 10
/** The texts to this phone go by that SMSC. */
async function phoneOf(name) {
  const phone = `1206555${tens++}01`
  await ctl('smsc', 'route', 'add', name, '--carrier', name, '--prefix', `+${phone}`)
  return phone
}
const isUp = (name) => eventually(`${name} up`, async () => (await ctlJson('smsc', 'list')).value.find((c) => c.name === name).up)
async function eventually(what, look) {
  for (const end = Date.now() + 5000; Date.now() < end; await sleep(30)) if (await look()) return
  assert.fail(`not ${what} in 5 s`)
}
/** A carrier of that name, bound, and a phone that is reached by it. */
async function carrier(smsc, name, ...flags) {
  await add(smsc, name, name, ...flags)
  const link = await bindAt(smsc, name)
  await isUp(name)
  return { link, phone: await phoneOf(name) }
}
const send = async (phone, words) => (await ctlJson('sms', 'send', words, '--from', NUMBER, '--to', `+${phone}`)).value[0].messageId
const becomes = (id, state) => eventually(`${id} ${state}`, async () => (await ctlJson('sms', 'show', id)).state === state)
const receipt = async (link, sent, state, stat) => {
  const id = sent.said.message_id
  ok(await link.ask('deliver_sm', { source_addr_ton: 1, source_addr_npi: 1, source_addr: sent.destination_addr, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: sent.source_addr,
    esm_class: 4, short_message: `id:${id} sub:001 dlvrd:001 submit date:2611240000 done date:2611240000 stat:${stat} err:000 text:`,
    tlv: { '001e': `${id}\0`, '0427': String.fromCharCode(state) } }), 'deliver_sm_resp')
}
const delivered = (sent) => receipt(sent.link, sent, STATE.DELIVERED, 'DELIVRD')
/** libsmpp34 as an ESME of ours, which the customer is. */
async function customer(t) {
  const { systemId: system_id, password } = await esmeOf.keysOf('default')
  const esme = strict34(t, { answer: { deliver_sm: {}, enquire_link: {}, unbind: {} } })
  const link = await esme.connect(AT.split(':')[1])
  ok(await link.ask('bind_transceiver', { system_id, password, interface_version: 0x34 }), 'bind_transceiver_resp')
  return { esme, link }
}

const LONG = 'All of this goes in parts. '.repeat(8).trim()
/* A header's octets but its reference, and the text behind it. */
const behind = (octets, header, at) => { assert.deepEqual([...octets.subarray(0, 3), ...octets.subarray(at, at + 2)], header); return octets.subarray(at + 2) }
const WAYS = {
  udh: { flags: ['--long-as', 'udh'], parts: 2, esm: '64', read: (it, i) => behind(it.short_message, [5, 0, 3, 2, i + 1], 4) },
  udh16: { flags: ['--long-as', 'udh16'], parts: 2, esm: '64', read: (it, i) => behind(it.short_message, [6, 8, 4, 2, i + 1], 5) },
  sar: {
    flags: ['--long-as', 'sar'], parts: 2, esm: '0',
    read: (it, i) => { assert.deepEqual([it.tlv['020c'].length, number(it.tlv['020e']), number(it.tlv['020f'])], [2, 2, i + 1]); return it.short_message },
  },
  payload: { flags: ['--long-as', 'payload'], parts: 1, esm: '0', read: (it) => { assert.equal(it.sm_length, '0'); return it.tlv['0424'] } },
  data_sm: { flags: ['--submit', 'data_sm', '--long-as', 'payload'], command: 'data_sm', parts: 1, esm: '0', read: (it) => it.tlv['0424'] },
  data_udh: { flags: ['--submit', 'data_sm'], command: 'data_sm', parts: 2, esm: '64', read: (it, i) => behind(it.tlv['0424'], [5, 0, 3, 2, i + 1], 4) },
}
for (const [name, { flags, parts, esm, read, command = 'submit_sm' }] of Object.entries(WAYS)) {
  step(`texts, short and long, as ${name}`, async (t) => {
    const smsc = await listening(t)
    const { link, phone } = await carrier(smsc, name, ...flags)
    const whole = (it) => command === 'data_sm' ? it.tlv['0424'] : it.short_message
    const sent = async (words) => {
      const id = await send(phone, words), it = await smsc.next(command)
      assert.deepEqual([it.service_type, it.source_addr_ton, it.source_addr_npi, it.source_addr, it.dest_addr_ton, it.dest_addr_npi, it.destination_addr, it.registered_delivery],
        ['', '1', '1', from, '1', '1', phone, '1'])
      assert.equal(it.link, link)
      return { id, it }
    }
    const gsm = await sent('hello @ {€} ñ')
    assert.deepEqual([gsm.it.data_coding, gsm.it.esm_class, text(whole(gsm.it))], ['0', '0', 'hello \0 \x1b(\x1be\x1b) }'])
    await delivered(gsm.it)
    const wide = await sent('Привет 👍')
    assert.deepEqual([wide.it.data_coding, wide.it.esm_class, whole(wide.it)], ['8', '0', ucs2('Привет 👍')])
    await receipt(link, wide.it, STATE.UNDELIVERABLE, 'UNDELIV')
    const long = await sent(LONG), all = [long.it]
    while (all.length < parts) all.push(await smsc.next(command))
    assert.deepEqual(all.map((it) => it.esm_class), all.map(() => esm))
    assert.equal(all.map((it, i) => text(read(it, i))).join(''), LONG)
    for (const it of all) await delivered(it)
    await becomes(gsm.id, 'delivered')
    await becomes(wide.id, 'failed')
    await becomes(long.id, 'delivered')
    assert.equal(smsc.seen[command], 2 + parts)
    await smsc.stop()
  })
}

step('what an SMSC is asked, how long a text may take, and what is of nobody\'s standard', async (t) => {
  const final = { final_date: '261124000000000+', message_state: STATE.DELIVERED, error_code: 0 }
  const asks = {}, answers = {         /* how often each was asked; what it is answered in turn, the last one from then on */
    query_sm: [(it) => ({ message_id: it.message_id, message_state: STATE.ENROUTE }), (it) => ({ message_id: it.message_id, ...final })],
    cancel_sm: [() => nack(3), () => ({ command_status: 0x11 }), () => ({})],
    replace_sm: [() => ({ command_status: 0x13 }), () => nack(3), () => ({})],
  }
  const inTurn = (command) => (it) => { const n = asks[command] = (asks[command] ?? 0) + 1; return answers[command][Math.min(n, answers[command].length) - 1](it) }
  const smsc = await listening(t, Object.fromEntries(Object.keys(answers).map((command) => [command, inTurn(command)])))
  const queried = await carrier(smsc, 'queried', '--query-after', '1', '--data-coding', '1', '--tlv', '0x1403=word', '--tlv', '0x1404=hex:00ff', '--tlv', '0x1405=hex:07')
  const held = await carrier(smsc, 'held'), brief = await carrier(smsc, 'brief', '--submit', 'data_sm')
  const asked = await send(queried.phone, 'no receipt comes'), sent = await smsc.next('submit_sm')
  assert.deepEqual([sent.data_coding, sent.tlv], ['1', { 1403: Buffer.from('word'), 1404: Buffer.from([0, 255]), 1405: Buffer.from([7]) }])
  const { esme, link } = await customer(t)
  const us = { source_addr_ton: 1, source_addr_npi: 1, source_addr: from }
  const submit = async (phone, short_message, more = {}) => {
    const answer = await link.ask('submit_sm', { ...us, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: phone, registered_delivery: 1, short_message, ...more })
    ok(answer, 'submit_sm_resp')
    return answer.message_id
  }

  const id = await submit(held.phone, 'it is held', { validity_period: '000000010000000R' }), it = await smsc.next('submit_sm', (got) => got.link === held.link)
  assert.match(it.validity_period, /^000000(0059\d\d|010000)000R$/)
  await becomes(id, 'submitted')
  const named = { message_id: id, ...us }
  const replace = () => link.ask('replace_sm', { ...named, registered_delivery: 1, short_message: 'another \0' })
  for (const no of ['refused', 'nacked']) assert.equal((await replace()).command_status, STATUS.REPLACEFAIL, no)
  ok(await replace(), 'replace_sm_resp')
  const replaced = await smsc.next('replace_sm')
  assert.deepEqual([replaced.message_id, replaced.source_addr_ton, replaced.source_addr, text(replaced.short_message), replaced.registered_delivery, replaced.validity_period],
    [it.said.message_id, '1', from, 'another \0', '1', ''])
  assert.equal((await ctlJson('sms', 'show', id)).message, 'another @')
  await assert.rejects(ctl('sms', 'cancel', id), /MessageNotCancelled/)
  const cancel = () => link.ask('cancel_sm', { ...named, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: held.phone })
  assert.equal((await cancel()).command_status, STATUS.CANCELFAIL)
  ok(await cancel(), 'cancel_sm_resp')
  const cancelled = await smsc.next('cancel_sm')
  assert.deepEqual([cancelled.service_type, cancelled.message_id, cancelled.source_addr_ton, cancelled.source_addr, cancelled.dest_addr_ton, cancelled.destination_addr],
    ['', it.said.message_id, '1', from, '1', held.phone])
  assert.deepEqual((await esme.next('deliver_sm', (got) => got.tlv['001e'] && text(got.tlv['001e']) === `${id}\0`)).tlv['0427'], Buffer.from([STATE.DELETED]))

  await submit(brief.phone, 'for an hour', { validity_period: '000000010000000R' })
  const left = number((await smsc.next('data_sm')).tlv['0017'])
  assert.ok(left > 3500 && left <= 3600, `${left} s are left of an hour`)
  for (const n of [1, 2]) {
    const query = await smsc.next('query_sm')
    assert.deepEqual([query.message_id, query.source_addr_ton, query.source_addr_npi, query.source_addr], [sent.said.message_id, '1', '1', from], `query ${n}`)
  }
  await becomes(asked, 'delivered')
  ok(await link.ask('unbind'), 'unbind_resp')
  await link.left()
  await esme.stop()
  await smsc.stop()
  assert.deepEqual([smsc.seen.query_sm, smsc.seen.replace_sm, smsc.seen.cancel_sm], [2, 3, 3])
})

step('a bind that is refused, or nacked, whatever the nack says, is tried again; a nacked submit has failed', async (t) => {
  const bad = [{ system_id: '', command_status: Number(STATUS.INVPASWD) }, nack(0), null], statuses = []
  const smsc = await listening(t, {
    bind_transceiver: () => { const it = bad.length > 1 ? bad.shift() : { system_id: 'strict' }; statuses.push(it.command ?? it.command_status ?? 0); return it },
    submit_sm: (it) => ({ nack: nack(Number(STATUS.INVCMDID)), no: { command_status: Number(STATUS.INVDSTADR) } })[text(it.short_message)] ?? { message_id: 'x' },
  })
  await add(smsc, 'wary', 'wary')
  for (let n = 0; n < 2; n++) await (await bindAt(smsc, 'wary')).left()
  const link = await bindAt(smsc, 'wary')
  await isUp('wary')
  assert.deepEqual(statuses, [14, 'generic_nack', 0])
  const phone = await phoneOf('wary')
  for (const words of ['nack', 'no']) {
    const id = await send(phone, words)
    assert.equal((await smsc.next('submit_sm')).link, link)
    await becomes(id, 'failed')
  }
  await becomes(await send(phone, 'yes'), 'submitted')
  await smsc.stop()
})

step('texts and receipts in, alerts, nacks, enquiries, and an unbind of theirs', async (t) => {
  const smsc = await listening(t), { esme, link } = await customer(t)
  const { link: at, phone } = await carrier(smsc, 'talks')
  const them = { source_addr_ton: 1, source_addr_npi: 1, source_addr: phone, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: from }
  const body = (it) => text(it.esm_class === '64' ? it.short_message.subarray(6) : it.short_message)
  const heard = async (words, parts = 1) => {
    let got = ''
    for (let n = 0; n < parts; n++) got += body(await esme.next('deliver_sm', (it) => it.source_addr === phone))
    assert.equal(got, words)
  }
  ok(await at.ask('enquire_link'), 'enquire_link_resp')
  ok(await at.ask('deliver_sm', { ...them, short_message: 'one by itself \0' }), 'deliver_sm_resp')
  await heard('one by itself \0')
  ok(await at.ask('data_sm', { ...them, data_coding: 8, tlv: { '0424': ucs2('as data') } }), 'data_sm_resp')
  await heard('as data')
  const halves = [LONG.slice(0, 150), LONG.slice(150)]
  const inParts = {
    udh: (half, i) => ({ esm_class: 64, short_message: `\x05\0\x03\x07\x02${String.fromCharCode(i + 1)}${half}` }),
    sar: (half, i) => ({ short_message: half, tlv: { '020c': '\x01\x2c', '020e': '\x02', '020f': String.fromCharCode(i + 1) } }),
  }
  for (const part of Object.values(inParts)) {
    for (const answer of await Promise.all(halves.map((half, i) => at.ask('deliver_sm', { ...them, ...part(half, i) })))) ok(answer, 'deliver_sm_resp')
    await heard(LONG, 2)
  }
  ok(await at.ask('deliver_sm', { ...them, tlv: { '0424': LONG } }), 'deliver_sm_resp')
  await heard(LONG, 2)
  ok(await at.ask('deliver_sm', { ...them, esm_class: 4, short_message: 'id:strange stat:DELIVRD' }), 'deliver_sm_resp')
  const broken = await at.ask('deliver_sm', { ...them, esm_class: 64, short_message: '\x09short' })
  assert.deepEqual([broken.command, broken.command_status], ['deliver_sm_resp', STATUS.RX_P_APPN])

  at.send('alert_notification', { source_addr_ton: 1, source_addr_npi: 1, source_addr: phone, esme_addr_ton: 1, esme_addr_npi: 1, esme_addr: from, tlv: { '0422': '\0' } })
  at.send('generic_nack', { sequence_number: 12345, command_status: 3 })
  at.send('enquire_link_resp', { sequence_number: 12346 })
  ok(await at.ask('enquire_link'), 'enquire_link_resp')          /* the next PDU of ours: those above have no answer */
  assert.equal(smsc.seen.generic_nack, undefined)
  const outbind = await at.ask('outbind', { system_id: 'x', password: 'y' })
  assert.deepEqual([outbind.command, outbind.command_status], ['generic_nack', STATUS.INVCMDID])
  for (const [command, fields] of Object.entries({
    submit_sm: { ...them, short_message: 'x' }, query_sm: { message_id: 'x' }, cancel_sm: { message_id: 'x' }, replace_sm: { message_id: 'x', short_message: 'x' },
    bind_transceiver: { system_id: 'x', password: 'y', interface_version: 0x34 }, submit_multi: { source_addr: '1', dest: ['1,1,2'], short_message: 'x' },
  })) {
    const answer = await at.ask(command, fields)
    assert.deepEqual([answer.command, answer.command_status], [`${command}_resp`, STATUS.INVCMDID])
  }
  ok(await at.ask('unbind'), 'unbind_resp')
  await at.left()
  const again = await bindAt(smsc, 'talks')
  ok(await again.ask('deliver_sm', { ...them, short_message: 'bound again' }), 'deliver_sm_resp')
  await heard('bound again')
  ok(await link.ask('unbind'), 'unbind_resp')
  await link.left()
  await esme.stop()
  await smsc.stop()
})

step('all three binds: receipts to the receiver, what is tried, and our unbinds', async (t) => {
  const smsc = await listening(t)
  await add(smsc, 'out', 'pair', '--bind', 'transmitter')
  await add(smsc, 'in', 'pair', '--bind', 'receiver')
  const sends = await bindAt(smsc, 'pair', 'transmitter'), hears = await bindAt(smsc, 'pair', 'receiver')
  await isUp('out')
  const phone = await phoneOf('out'), id = await send(phone, 'by the transmitter'), sent = await smsc.next('submit_sm')
  assert.equal(sent.link, sends)
  await receipt(hears, sent, STATE.DELIVERED, 'DELIVRD')
  await becomes(id, 'delivered')

  const trial = within(esmeOf.ctlJson('smsc', 'test', 'out', '--from', NUMBER, '--to', `+${phone}`, '--burst', '20', '--wait', '5'), 'smsc test', 10000)
  const tried = await smsc.next('submit_sm')
  await delivered(tried)
  const { checks } = await trial
  assert.deepEqual(checks.map((c) => `${c.check} ${c.verdict}`), ['bind transceiver ok', 'enquire_link ok', 'submit_sm ok', 'receipt ok', 'message_payload ok', 'window and throttling ok', 'unbind ok',
    'bind transmitter ok', 'bind receiver ok'])
  assert.deepEqual([smsc.seen.submit_sm, smsc.seen.unbind], [23, 3])
  assert.ok(smsc.seen.enquire_link >= 1)
  hears.answer.unbind = null
  process.kill(Number(SERVER), 'SIGTERM')
  await smsc.next('unbind', (it) => it.link === sends)
  await sends.left()
  const last = await smsc.next('unbind', (it) => it.link === hears)
  const late = await hears.ask('deliver_sm', { source_addr: phone, destination_addr: from, short_message: 'too late' })
  assert.deepEqual([late.command, late.command_status], ['deliver_sm_resp', STATUS.RX_T_APPN])
  hears.send('generic_nack', { command_status: Number(STATUS.INVCMDID), sequence_number: last.sequence_number })
  await hears.left()
  await smsc.stop()
})
