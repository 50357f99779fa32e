// The example of the package, and every option, as a program that is checked against the types.
import { Engine, type EpochRecord } from '../../target/web/site/shadegrad/index.js';

export async function train(files: [ArrayBuffer, ArrayBuffer, ArrayBuffer, ArrayBuffer], canvas: HTMLCanvasElement): Promise<number> {
  const engine = await Engine.start();
  const adapter = await engine.open();
  const data = await engine.dataFromIdx('mnist', files);
  const model = await engine.tutorialModel();
  const trainer = await engine.trainer({ adapter, data, model, choices: { epochs: 1, batchSize: 32, profile: true } });
  const records: EpochRecord[] = [];
  const ended = await trainer.train({ epoch: record => records.push(record), steps: steps => steps[0].loss.toFixed(3) });
  const again = await engine.trainerFromFiles({ adapter, data, files: await trainer.watcher.files() });
  await again.pause();
  const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  const shares: Float32Array = await trainer.watcher.predict(await trainer.watcher.drawing(pixels));
  const report = await adapter.verify({ kind: 'matmul', onRow: row => row.problem?.length });
  // @ts-expect-error: there is no such choice
  await engine.open('tpu');
  return ended.steps + shares[0] + report.failed;
}
