/** What went wrong in the engine. */
export class ShadegradError extends Error {
  /** Whether the engine is gone, as after a defect in it: start another. */
  readonly ended: boolean;
}

/** `gpu`: the browser's adapter; `cpu`: the processor, on one thread; `auto`: the adapter if it is hardware, else the processor. */
export type DeviceChoice = 'auto' | 'gpu' | 'cpu';

/** A file of a run: its path in the run's folder, and its bytes. */
export type RunFile = [path: string, bytes: Uint8Array];

/** What may be chosen beside the model file. What is left out is as the model file says. */
export interface Choices {
  /** Of initial weights, shuffles and draws; default 0. */
  seed?: number;
  /** Training samples at most; default all. */
  limit?: number;
  epochs?: number;
  batchSize?: number;
  /** Ends training after so many steps; default when its epochs are done. */
  maxSteps?: number;
  /** Steps from one snapshot of the weights, which a watcher sees and a run keeps, to the next; default 50. */
  snapshotSteps?: number;
  /** Whether an adapter runs each step of the plan by itself; default false. */
  noFuse?: boolean;
  /** Whether a one-cycle schedule is fitted to the epochs and the samples, as `pictureModel` has one; default false. */
  fitCycle?: boolean;
  /** Whether some batches are taken apart and their kernels timed, with the same results; default false. */
  profile?: boolean;
}

/** How pictures become samples. */
export interface PictureOptions {
  /** Height and width; default 64. */
  size?: number;
  /** 1 for grey, 3 for colours, which is the default. */
  channels?: 1 | 3;
  /** What they are split by; default 0. */
  seed?: number;
  /** Hears how many were read. */
  onPicture?: (number: number) => void;
}

/** How much is to do. */
export interface Schedule {
  epochs: number;
  stepsPerEpoch: number;
  /** In all. */
  steps: number;
  /** Before this call. */
  done: number;
}

/** One step of the optimizer. */
export interface StepRecord {
  /** From 1 over the whole run. */
  step: number;
  /** From 1. */
  epoch: number;
  /** Mean over the batch, before the update. */
  loss: number;
  /** Right predictions in the batch; NaN where targets are no classes. */
  correct: number;
  /** Of the batch. */
  samples: number;
}

/** One epoch. */
export interface EpochRecord {
  epoch: number;
  loss: number;
  accuracy: number | null;
  val_loss: number | null;
  val_accuracy: number | null;
  learning_rate: number;
  seconds: number;
}

/** What hears of training; all of it is optional. */
export interface Listener {
  begin?(schedule: Schedule): void;
  /** Some steps in a row, a few times a second. */
  steps?(steps: StepRecord[]): void;
  epoch?(record: EpochRecord): void;
  /** After this step a watcher sees new weights. */
  snapshot?(step: number): void;
}

/** How training came to an end. */
export interface Ended {
  steps: number;
  stopped: { reason: 'epochs' | 'max_steps' | 'good_enough' | 'early_stopping' | 'interrupted'; epoch: number; weights_of_epoch: number } | null;
  /** By what clock kernels were timed; null where they were not. */
  clock: string | null;
  /** Milliseconds of each step of the plan, by its name: the median. */
  times: [name: string, milliseconds: number][];
}

/** A comparison of a kernel with its twin. */
export interface VerifyRow {
  kind: string;
  variant: string;
  case: string;
  checks: 'on' | 'off';
  output: string;
  /** null where no finite number came back. */
  largest_error: number | null;
  bound: number;
  passed: boolean;
  problem: string | null;
}

/** How all kernels did. */
export interface VerifyReport {
  device: string;
  rows: number;
  kernels: number;
  failed: number;
}

/** A step of a training batch, and the kernel that runs it on an adapter. */
export interface KernelStep {
  name: string;
  kind: string;
  variant: string;
  /** Under `shaders/`. */
  file: string;
  /** The file as it is written. */
  source: string;
  /** All that is compiled: constants of the step, imports, the file. */
  text: string;
}

/** The engine in its worker. Every call rejects with a {@link ShadegradError}. */
export class Engine {
  private constructor();
  static start(): Promise<Engine>;
  /** Ends it and frees its memory. */
  stop(): void;
  /** Whether the browser can wait for an adapter (it has JSPI). Without, the processor computes. */
  readonly canWait: boolean;
  /** Opens what computes; default `auto`. */
  open(choice?: DeviceChoice): Promise<Adapter>;
  /** The text of the tutorial's model file. */
  tutorialModel(): Promise<string>;
  /**
   * A data set from its four IDX files, plain or gzip: images and labels to train on, then those to test with. Classes are called by their
   * numbers, unless names are given.
   */
  dataFromIdx(name: string, files: [ArrayBuffer, ArrayBuffer, ArrayBuffer, ArrayBuffer], classNames?: string[]): Promise<DataSet>;
  /**
   * A data set from pictures in any format that the browser reads: pairs of a path and a file. As for the program, folders are classes,
   * or `train`, `val` and `test` with classes in them. What no folder says: 80 of a hundred to train on, 10 to validate with, 10 to test on.
   */
  dataFromPictures(name: string, files: [path: string, file: Blob][], options?: PictureOptions): Promise<DataSet>;
  /** A model in training; `model` is the text of a model file. */
  trainer(of: { adapter: Adapter; model: string; data: DataSet; choices?: Choices }): Promise<Trainer>;
  /** A run that goes on, from the files of its folder, with the data that it was begun with. */
  trainerFromFiles(of: { adapter: Adapter; data: DataSet; files: RunFile[] }): Promise<Trainer>;
  /** A finished run, from its `model.toml` and `weights.safetensors`. */
  load(model: string, weights: ArrayBuffer | Uint8Array): Promise<Watcher>;
}

/** What computes. */
export class Adapter {
  private constructor();
  /** As far as the browser tells. */
  readonly title: string;
  readonly kind: string;
  /** Whether it is an adapter, and not the processor. */
  readonly isGpu: boolean;
  /** The steps of a training batch of a model file, and their kernels. */
  kernels(model: string): Promise<KernelStep[]>;
  /** Holds every kernel, or those of one kind of step, against its twin. */
  verify(of?: { kind?: string; onRow?: (row: VerifyRow) => void }): Promise<VerifyReport>;
  free(): Promise<void>;
  /** The same for the kernels of a shader file, with another text in it. */
  verifyEdited(file: string, text: string, of?: { onRow?: (row: VerifyRow) => void }): Promise<VerifyReport>;
}

/** Samples to train on and to test with. */
export class DataSet {
  private constructor();
  readonly samples: { train: number; test: number };
  /** Height, width and channels of a sample; empty for rows of numbers. */
  readonly shape: number[];
  /** What the classes are called, where that is known; else empty. */
  readonly classNames: string[];
  /** Paths of pictures that could not be read and are left out, and why. */
  readonly broken: [path: string, why: string][];
  /** The model file for pictures, made for the shape and the classes of these. */
  pictureModel(): Promise<string>;
  /** A sample to test with: its bytes, and its class. */
  testSample(number: number): Promise<{ image: Uint8Array; label: number | undefined }>;
  free(): Promise<void>;
}

/** A run whose weights can be seen and used at any time, also while it trains. */
export class Watcher {
  private constructor();
  /** Height, width and channels of what the network sees; empty for rows of numbers. */
  shape(): Promise<number[]>;
  classNames(): Promise<string[]>;
  /** What the network says of samples of bytes, `[samples, height, width, channels]`: a number for each class, sample after sample. */
  predict(samples: Uint8Array): Promise<Float32Array>;
  /** What the network sees of a drawing: like an image of MNIST, bright on black, centred. Empty where nothing is drawn. */
  drawing(pixels: ImageData): Promise<Uint8Array>;
  /** What the network sees of a picture: scaled until its shorter side fits, what is then too long cut off. */
  fitted(picture: Blob): Promise<Uint8Array>;
  /** What the network sees of a picture of a drawing, as `drawing`. */
  drawingOf(picture: Blob): Promise<Uint8Array>;
  /** The values of a weight, such as `conv2d/kernel`; empty where there is none of this name. */
  tensor(name: string): Promise<Float32Array>;
  /** The names and shapes of all weights. */
  tensors(): Promise<[name: string, shape: number[]][]>;
  /** Which of the first test samples it takes for another class. */
  mistakes(data: DataSet, looked: number): Promise<{ number: number; label: number; said: number }[]>;
  /** The files of the run's folder: the program goes on with them, and `trainerFromFiles`. */
  files(): Promise<RunFile[]>;
  /** The weights as a safetensors file. */
  weights(): Promise<Uint8Array>;
  /** The page that `shadegrad report` makes of the run: HTML without any other file, with the samples of a data set to test with. */
  report(data: DataSet): Promise<string>;
  /** The model as an ONNX file. */
  onnx(): Promise<Uint8Array>;
  free(): Promise<void>;
}

/** A model in training. */
export class Trainer {
  private constructor();
  readonly watcher: Watcher;
  /** Trains to the end or until `pause`; called again, it goes on. */
  train(listener?: Listener): Promise<Ended>;
  /** Has training stop after the batches in progress; `train` then resolves with the reason `interrupted`. */
  pause(): Promise<void>;
  /** Loss and accuracy on the samples to test with, or on so many of them. */
  evaluate(most?: number): Promise<{ loss: number; accuracy: number | null }>;
  free(): Promise<void>;
}
