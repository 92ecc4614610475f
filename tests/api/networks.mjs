// Simulated networks, processes of their own, each the carrier of its name. What one does is changed while it runs, or while it is away.
import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, folder, own, randomUUID } from './harness.mjs'

const all = {}
const read = (file) => existsSync(file) ? readFileSync(file, 'utf8') : ''
export const networksEnd = () => Object.values(all).forEach((n) => n.child.kill('SIGKILL'))

/** The carrier `name`, bound; `ways` are its SMSC's settings, `profile` more of POST smscs. Asked for again it is the same one. */
export async function network(name, ways = '', profile = {}) {
  if (all[name]) return all[name]
  const id = `${name}-${randomUUID()}`, [config, log] = [join(folder, `${id}.yaml`), join(folder, `${id}.log`)]
  const accepted = []
  const bound = () => eventually(`${name} is up`, async () => (await own('GET', 'smscs')).value.find((s) => s.name === name).up, 40000)
  const tell = (settings) => writeFileSync(config, settings ? `sim-smsc: ${settings}\n` : '# kind\n')
  const run = async (settings) => {
    const ready = join(folder, `${id}-${accepted.length}.json`), out = openSync(log, 'a')
    accepted.push(join(folder, `${id}-${accepted.length}.accepted`))
    tell(settings)
    n.child = spawn(process.env.CARTERFONE, ['sim', '--config', config, '--sim-smpp', n.host ?? '127.0.0.1:0', '--sim-sip', '127.0.0.1:0', '--ready-file', ready,
      '--accepted-log', accepted.at(-1)], { stdio: ['ignore', out, out] })
    await eventually(`network ${name}`, () => existsSync(ready), 20000)
    n.host = JSON.parse(readFileSync(ready, 'utf8')).simSmpp
  }
  const n = all[name] = {
    /** Other settings from now on, all others being the defaults. */
    async behave(settings) {
      const again = () => read(log).split('settings were read again').length, before = again()
      tell(settings)
      n.child.kill('SIGHUP')
      await eventually(`${name} behaves: ${settings}`, () => again() > before)
    },
    kill: () => new Promise((done) => { n.child.once('exit', done); n.child.kill('SIGKILL') }),
    start: async (settings) => { await run(settings); await bound() },
    /** What it took, in order, of all its lives. */
    took: () => accepted.flatMap((file) => read(file).trim().split('\n').filter(Boolean)).map((l) => l.split(' '))
      .map(([, , to, , hex]) => ({ to, text: Buffer.from(hex, 'hex').toString() })),
  }
  await run(ways)
  await own('POST', 'smscs', { name, host: n.host, systemId: 'routes', password: 'x', window: 10, simulated: true, ...profile })
  await bound()
  return n
}
