// A server to be killed: started in one folder again and again, asked with signed requests that may never be answered.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const program = process.env.CARTERFONE ?? 'build/carterfone'
const children = new Set()
process.on('exit', () => { for (const child of children) child.kill('SIGKILL') })

export const newFolder = () => mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'crash-'))

/** Start the program with more in its environment; resolves when its ready file is there. */
export async function start(folder, args, name, env = {}) {
  const file = join(folder, `${name}.json`)
  rmSync(file, { force: true })
  const child = spawn(program, [...args, '--ready-file', file, '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
  children.add(child)
  child.once('exit', () => children.delete(child))
  for (let waited = 0; !existsSync(file); waited += 10) {
    assert.ok(waited < 30000 && child.exitCode === null, `${name} did not start (${child.exitCode})`)
    await sleep(10)
  }
  return { child, ready: JSON.parse(readFileSync(file, 'utf8')) }
}

/** @param most  requests at once */
export async function serve(folder, most, more = [], env = {}) {
  const any = '127.0.0.1:0'
  const server = await start(folder, ['serve', '--data', join(folder, 'data'), '--listen', any, '--sip', any, '--smpp', any, '--sim-sip', any, '--sim-smpp', any,
    '--rtp-ports', '0', ...more], 'server', env)
  server.agent = new Agent({ keepAlive: true, maxSockets: most, ca: readFileSync(server.ready.caFile) })
  return server
}

/** kill -9, and wait until it is gone. */
export async function kill(server) {
  const died = new Promise((gone) => server.child.exitCode ?? server.child.signalCode ? gone() : server.child.once('exit', gone))
  server.child.kill('SIGKILL')
  await died
  server.agent.destroy()
}

export const operatorKey = (folder) => Buffer.from(readFileSync(join(folder, 'data', 'operator.key'), 'utf8').trim(), 'base64')
export const keyOf = (connectionString) => Buffer.from(connectionString.match(/accesskey=(.*)/)[1], 'base64')

/** One signed request; the status and JSON, or null when no answer came. A body that is text goes as CSV. */
export function ask(server, key, method, target, body) {
  const url = new URL(target, server.ready.api), csv = typeof body === 'string', text = csv ? body : body ? JSON.stringify(body) : ''
  const date = new Date().toUTCString(), hash = createHash('sha256').update(text).digest('base64')
  const signature = createHmac('sha256', key).update(`${method}\n${target}\n${date};${url.host};${hash}`).digest('base64')
  return new Promise((done) => {
    const rq = request(url, { method, agent: server.agent, headers: { host: url.host, 'x-ms-date': date, 'x-ms-content-sha256': hash,
      'content-type': csv ? 'text/csv' : 'application/json', 'content-length': Buffer.byteLength(text),
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}` } }, (answer) => {
      let got = ''
      answer.on('data', (piece) => { got += piece })
      answer.on('end', () => done({ status: answer.statusCode, json: got && answer.headers['content-type']?.includes('json') ? JSON.parse(got) : {}, text: got, headers: answer.headers }))
      answer.on('error', () => done(null))
    })
    rq.on('error', () => done(null))
    rq.end(text)
  })
}
