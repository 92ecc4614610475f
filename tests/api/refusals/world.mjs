// What the rows of the refusal table stand on: a server in each edition of the catalogue, one without the simulator, and how to ask them.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, folder, ready, randomUUID, signed } from '../harness.mjs'
import { startServer, stopServer } from '../server.mjs'

const versions = { sip: '2023-04-01-preview', sms: '2021-03-07', calling: '2026-03-12', shortCodes: '2021-10-25-preview', tollfreeVerification: '2023-01-10-preview1' }
const keyOf = (text) => Buffer.from(text.match(/accesskey=(.*)/)[1], 'base64')

export const tollFree = { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'inbound+outbound' } }
export const local = { phoneNumberType: 'geographic', assignmentType: 'person', capabilities: { calling: 'inbound+outbound', sms: 'none' } }
export const time = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[^ ]*/
export const phone = (value) => ({ kind: 'phoneNumber', phoneNumber: { value } })
export const many = (n, one) => Object.fromEntries(Array.from({ length: n }, (_, i) => one(i)))
export const never = randomUUID()

class Server {
  /** @param at  its origin; plain http, as Node reads the CA of one server only */
  constructor(at, data, connectionString, log) {
    this.at = at
    this.log = () => readFileSync(log, 'utf8')
    this.key = connectionString && keyOf(connectionString)
    this.operatorKey = Buffer.from(readFileSync(join(data, 'operator.key'), 'utf8').trim(), 'base64')
  }

  /** One request of the default resource, or of the resource whose key is given. */
  ask(method, path, body, who = this.key, headers = {}) {
    const version = versions[path.match(/^\/(\w+)/)[1]] ?? '2025-06-01'
    const patch = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
    return this.raw(method, `${path}${path.includes('?') ? '&' : '?'}api-version=${version}`, body, who, { ...patch, ...headers })
  }

  /** The answer has been read whole: one that nobody reads would keep its connection, and the process. */
  async raw(method, target, body, who = this.key, headers = {}) {
    const answer = await signed(who, method, this.at + target, body, headers), text = await answer.text()
    return { status: answer.status, ok: answer.ok, headers: answer.headers, url: answer.url, text: async () => text, json: async () => JSON.parse(text) }
  }
  operator(method, path, body) { return this.raw(method, `/carterfone/v1/${path}`, body, this.operatorKey) }

  /** What the operator asks for must be granted. */
  async own(method, path, body) {
    const answer = await this.operator(method, path, body), text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : {}
  }

  /** @returns the key of a resource under an account of its own */
  async resource(name, offer, billingCountry) {
    await this.own('POST', 'accounts', { name, offer, billingCountry })
    await this.own('POST', 'resources', { name: `${name}-res`, account: name })
    return Buffer.from((await this.own('GET', `resources/${name}-res/keys`)).primaryKey, 'base64')
  }

  search(what, who, country = 'US') { return this.ask('POST', `/availablePhoneNumbers/countries/${country}/:search`, what, who) }
  buy(searchId, more) { return this.ask('POST', '/availablePhoneNumbers/:purchase', { searchId, ...more }) }
  async found(what, country = 'US') {
    const answer = await this.search(what, this.key, country), id = answer.headers.get('search-id')
    assert.equal(answer.status, 202, await answer.text())
    return (await this.ask('GET', `/availablePhoneNumbers/searchResults/${id}`)).json()
  }

  /** @returns one number, leased */
  async lease(what, country) {
    const { searchId, phoneNumbers } = await this.found(what, country)
    assert.equal((await this.buy(searchId, { agreeToNotResell: true })).status, 202)
    return phoneNumbers[0]
  }

  async change(number, capabilities) { assert.equal((await this.ask('PATCH', `/phoneNumbers/${number}/capabilities`, capabilities)).status, 202) }
  reserve(id, phoneNumbers, verb = 'PATCH') { return this.ask(verb, `/availablePhoneNumbers/reservations/${id}`, verb === 'PATCH' ? { phoneNumbers } : undefined) }
  text(from, to = '+12065550101') { return this.ask('POST', '/sms', { from, message: 'x', smsRecipients: [].concat(to).map((number) => ({ to: number })) }) }
  calling(from, more, headers) {
    return this.ask('POST', '/calling/callConnections', { targets: [phone('+12065550101')], sourceCallerIdNumber: from && { value: from },
      callbackUri: 'http://127.0.0.1:9/', ...more }, this.key, headers)
  }
  call(from, to, callbackUri = 'http://127.0.0.1:9/') { return this.calling(from, { targets: [phone(to)], callbackUri }) }

  /** The refusal is kept under the id of the request, with its rule and its next step. */
  async kept(answer, error) {
    const id = answer.headers.get('x-ms-request-id')
    const story = await eventually(`explain ${id}`, async () => { const a = await this.operator('GET', `explain/${id}`); return a.ok && a.json() })
    assert.equal(story.kind, 'refusal')
    assert.equal(story.decision.rule, error.innererror.code)
    assert.equal(story.decision.next, error.innererror.message)
    assert.ok(JSON.stringify(story.lines).includes(String(answer.status)), JSON.stringify(story.lines))
  }
}

const plain = (ready) => ready.api.replace('https:', 'http:')
/** Edition 2020-10: the server that every test file is given. */
export const old = new Server(plain(ready), process.env.CARTERFONE_DATA, ready.connectionString, join(folder, 'server.log'))

const others = []
async function another(name, more, clock) {
  const home = mkdtempSync(join(tmpdir(), `carterfone-${name}-`)), { server, ready } = await startServer(process.env.CARTERFONE, home, more, clock)
  others.push({ server, home })
  return new Server(plain(ready), join(home, 'data'), ready.connectionString, join(home, 'server.log'))
}
/** Edition current. */
export const current = await another('current', ['--edition', 'current'])
/** Nothing simulated: no numbers, no handsets, no clock that moves. */
export const bare = await another('bare', ['--simulator', 'off', '--faults', 'off'], 'real')
process.on('exit', () => { for (const { server } of others) server.kill('SIGKILL') })
export const serverOf = (answer) => [current, bare].find((s) => answer.url.startsWith(s.at)) ?? old
export async function stop() {
  for (const { server, home } of others) {
    await stopServer(server)
    rmSync(home, { recursive: true, force: true })
  }
}
