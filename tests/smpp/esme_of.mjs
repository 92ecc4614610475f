// An ESME (npm smpp) of a customer at the server that the environment names: AT, DATA, CARTERFONE, NUMBER.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import smpp from 'smpp'
import { ask, inbox } from './peer.mjs'

const { AT, NUMBER, DATA, CARTERFONE } = process.env
const [host, port] = AT.split(':')
export const PHONE = '12065550111'
export const US = { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, source_addr: NUMBER.slice(1), destination_addr: PHONE }
export const ctl = async (...args) => (await promisify(execFile)(CARTERFONE, ['--data', DATA, ...args])).stdout
export const ctlJson = async (...args) => JSON.parse(await ctl(...args, '--json'))
export const keysOf = async (resource) => (await ctlJson('resource', 'keys', resource)).smpp
export const until = async (what, look) => { for (let n = 200; n; n--) { const got = await look(); if (got) return got; await sleep(50) } assert.fail(`no ${what}`) }

/** A connection; `gone` resolves when it ends. */
export async function connected(t) {
  const session = smpp.connect({ host, port: Number(port) })
  session.on('error', () => {})
  t.after(() => session.destroy())
  const gone = new Promise((done) => session.once('close', done))
  await new Promise((done) => session.once('connect', done))
  return { session, gone }
}

/** Bound, answering what it is delivered. */
export async function bound(t, { command = 'bind_transceiver', resource = 'default' } = {}) {
  const { systemId: system_id, password } = await keysOf(resource)
  const one = await connected(t)
  one.delivers = inbox(one.session, 'deliver_sm')
  one.session.on('deliver_sm', (pdu) => one.session.send(pdu.response()))
  assert.equal((await ask(one.session, command, { system_id, password })).command_status, smpp.ESME_ROK)
  return one
}
export const leave = async ({ session, gone }) => { await ask(session, 'unbind'); await gone }
export const receiptOf = (pdu) => Object.fromEntries([...pdu.short_message.message.matchAll(/(id|stat|err):(\S*)/g)].map((m) => [m[1], m[2]]))
