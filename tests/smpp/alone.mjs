// What a foreign ESME (npm smpp) is told by `carterfone sim`:  alone.mjs HOST:PORT SYSTEM-ID PASSWORD  prints the status of its bind
// and, once bound, of a submit_sm and of its receipt: "bind 0 submit 0 receipt 2".
import smpp from 'smpp'
import { ask, inbox } from './peer.mjs'

const [at, system_id, password] = process.argv.slice(2)
const [host, port] = at.split(':')
const session = smpp.connect({ host, port: Number(port) })
session.on('error', (e) => { console.log(e.message); process.exit(1) })
await new Promise((done) => session.once('connect', done))
const delivers = inbox(session, 'deliver_sm')
session.on('deliver_sm', (pdu) => session.send(pdu.response()))
const bound = await ask(session, 'bind_transceiver', { system_id, password, interface_version: 0x34 })
let said = `bind ${bound.command_status}`
if (!bound.command_status) {
  const sent = await ask(session, 'submit_sm', { source_addr_ton: 1, source_addr: '18335550100', dest_addr_ton: 1, destination_addr: '12065550111',
    registered_delivery: 1, short_message: 'alone' })
  said += ` submit ${sent.command_status}`
  if (!sent.command_status) said += ` receipt ${(await delivers.next()).message_state}`
}
console.log(said)
process.exit(0)
