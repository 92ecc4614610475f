// Carriers of the tests' own: SMSCs by npm's smpp, which is not ours, that do what a test says.
import { once } from 'node:events'
import smpp from 'smpp'
import { eventually, own } from './harness.mjs'

const REQUESTS = ['submit_sm', 'data_sm', 'cancel_sm', 'query_sm', 'replace_sm']
let made = 0
smpp.addTLV('campaign', { id: 0x1401, type: smpp.types.tlv.string })         // a vendor's own

/** An SMSC, bound as carrier: `more` is its profile, `says` what it answers: { submit_sm: (pdu, n) => fields | null }. */
export async function carrier(t, more = {}, says = {}) {
  const name = `foreign${++made}`, heard = [], links = []
  let n = 0
  const server = smpp.createServer((session) => {
    session.on('error', () => {})
    for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
      session.on(bind, (pdu) => { links.push({ session, bind }); session.send(pdu.response({ system_id: name })) })
    }
    session.on('enquire_link', (pdu) => session.send(pdu.response()))
    session.on('unbind', (pdu) => { session.send(pdu.response()); session.close() })
    for (const command of REQUESTS) {
      session.on(command, (pdu) => {
        heard.push(pdu)
        const i = command === 'submit_sm' || command === 'data_sm' ? ++n : n
        const answer = (says[command] ?? ((_, i) => ({ message_id: `${name}-${i}` })))(pdu, i, session)
        pdu.gave = answer?.message_id
        if (answer?.nack !== undefined) session.send(new smpp.PDU('generic_nack', { sequence_number: pdu.sequence_number, command_status: answer.nack }))
        else if (answer) session.send(pdu.response(answer))
      })
    }
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { for (const s of server.sessions) s.destroy(); server.close() })
  const host = `127.0.0.1:${server.address().port}`
  const add = (as, bind) => own('POST', 'smscs', { name: as, host, systemId: name, password: 'x', simulated: true, ...more, bind })
  await add(name, more.bind ?? 'transceiver')
  await eventually(`${name} is up`, async () => (await own('GET', 'smscs')).value.find((s) => s.name === name).up)
  await own('POST', 'smsRoutes', { name, carrier: name })
  t.after(() => own('DELETE', `smsRoutes/${name}`))

  /** A request of this SMSC's, by the newest link that takes it; its answer. */
  const ask = (command, fields) => new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`no answer to ${command}`)), 10000)
    const link = links.findLast((l) => l.bind !== 'bind_transmitter')
    link.session[command](fields, (answer) => { clearTimeout(late); done(answer) })
  })
  const receipt = (id, { from, to, stat = 'DELIVRD', err = '000', ...tlvs }) => ask('deliver_sm', { esm_class: 4, source_addr_ton: 1,
    source_addr: to.slice(1), dest_addr_ton: 1, destination_addr: from.slice(1), ...tlvs,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:${stat} err:${err} text:x` })
  const next = (command, test = () => true) => eventually(command, () => heard.find((p) => p.command === command && test(p)))
  /** The id that it gave to what went to this phone. */
  const gave = async (to) => (await eventually(`a text to ${to}`, () => heard.find((p) => p.gave && `+${p.destination_addr}` === to))).gave
  return { name, gave, heard, links, add, ask, receipt, next, server }
}
