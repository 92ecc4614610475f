// A Carterfone of a test's own: a temporary folder, free ports, a ready file that says where it is.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const any = '127.0.0.1:0'
export const ended = (child) => new Promise((done) => (child.exitCode ?? child.signalCode) !== null ? done() : child.once('exit', () => done()))

/** @param more  further flags of `serve`
 *  @returns { server: the process, ready: what its ready file says } */
export async function startServer(program, folder, more = [], clock = 'virtual') {
  const log = openSync(join(folder, 'server.log'), 'w')
  const server = spawn(program, ['serve', '--data', join(folder, 'data'), '--listen', any, '--sip', any, '--smpp', any, '--sim-sip', any, '--sim-smpp', any,
    '--rtp-ports', '0', '--clock', clock, '--ready-file', join(folder, 'ready.json'), ...more], { stdio: ['ignore', log, log] })
  closeSync(log)
  server.on('error', (e) => console.log(`# ${program}: ${e.message}`))
  for (let waited = 0; waited < 30000 && server.exitCode === null; waited += 50) {
    if (existsSync(join(folder, 'ready.json'))) return { server, ready: JSON.parse(readFileSync(join(folder, 'ready.json'), 'utf8')) }
    await sleep(50)
  }
  server.kill('SIGKILL')
  throw new Error(`the server was not ready in 30 s (exit code ${server.exitCode})`)
}

/** It must end with 0 on SIGTERM: under the sanitizers that is where leaks show. */
export async function stopServer(server) {
  server.kill('SIGTERM')
  const late = setTimeout(() => server.kill('SIGKILL'), 20000)
  await ended(server)
  clearTimeout(late)
  if (server.exitCode !== 0) throw new Error(`the server ended with ${server.exitCode ?? server.signalCode} on SIGTERM`)
}
