// Run each *.test.mjs against a Carterfone of its own:  node tests/api/run.mjs [FILE...]
//
// The server gets a temporary folder and free ports and says in its ready file where it is. The test is another process, because
// Node reads NODE_EXTRA_CA_CERTS once, at start. Prints TAP; ends with "# total pass N" and "# total fail N".
// A test file may say what its server is started with: a line "// serve: --edition current".
// The server must stop cleanly on SIGTERM: under the sanitizers that is where leaks show.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ended, startServer, stopServer } from './server.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const program = resolve(process.env.CARTERFONE ?? join(here, '../../build/carterfone'))
const named = process.argv.slice(2)
const files = named.length ? named.map((f) => resolve(f)) : readdirSync(here).filter((f) => f.endsWith('.test.mjs')).sort().map((f) => join(here, f))

/** What the file says its server is started with. */
const flagsOf = (file) => readFileSync(file, 'utf8').match(/^\/\/ serve: (.*)$/m)?.[1].split(' ') ?? []

async function runTest(file, folder, ready) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ready.caFile, CARTERFONE: program, CARTERFONE_READY: join(folder, 'ready.json'),
    CARTERFONE_DATA: join(folder, 'data'), CARTERFONE_TMP: folder }
  const test = spawn(process.execPath, ['--test-reporter=tap', file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  test.stdout.on('data', (piece) => { out += piece; process.stdout.write(piece) })
  const late = setTimeout(() => test.kill('SIGKILL'), 120000)
  await ended(test)
  clearTimeout(late)
  const said = (word) => Number(out.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0)
  const counts = { pass: said('pass'), fail: said('fail') + said('cancelled') }
  if (test.exitCode !== 0 && counts.fail === 0) counts.fail = 1
  if (counts.pass + counts.fail === 0) counts.fail = 1
  return counts
}

let pass = 0, fail = 0
for (const file of files) {
  console.log(`# ${file.slice(here.length + 1)}`)
  const folder = mkdtempSync(join(tmpdir(), 'carterfone-api-'))
  let server, ready, counts = { pass: 0, fail: 0 }
  try {
    ({ server, ready } = await startServer(program, folder, flagsOf(file)))
    counts = await runTest(file, folder, ready)
    await stopServer(server)
    counts.pass++
  } catch (e) {
    console.log(`not ok - ${file.slice(here.length + 1)}: ${e.message}`)
    server?.kill('SIGKILL')
    counts.fail++
  }
  if (counts.fail) {
    const log = existsSync(join(folder, 'server.log')) ? readFileSync(join(folder, 'server.log'), 'utf8') : ''
    console.log(log.split('\n').slice(-60).map((line) => `#   server: ${line}`).join('\n'))
  }
  pass += counts.pass
  fail += counts.fail
  if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true })
}
console.log(`# total pass ${pass}\n# total fail ${fail}`)
process.exit(fail || !pass ? 1 : 0)
