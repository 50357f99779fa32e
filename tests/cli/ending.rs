//! `train`: validation, schedules, and when training ends, by flags and by the model file.

use std::fs;

use crate::sandbox::{MODEL, Sandbox, idx};

/// The small model with more settings: `training` goes between the top and the layers.
fn write_model(sandbox: &Sandbox, name: &str, training: &str) {
    let (top, layers) = MODEL.split_once("[[layers]]").unwrap();
    fs::write(sandbox.path(name), format!("{top}{training}\n[[layers]]{layers}")).unwrap();
}

#[test]
fn validation_figures_are_told_and_written() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.train("--device cpu --epochs 2 --batch-size 16 --validation-split 0.25 --out out");
    assert!(outcome.stdout.contains("for 30 + 10 + 12 samples"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("\nTraining ended after epoch 2: all epochs are done\n"),
        "{}",
        outcome.stdout
    );
    for line in outcome.stderr.lines() {
        assert!(
            line.contains("2 steps") && line.contains("val_loss: ") && line.contains("val_accuracy: "),
            "{line}"
        );
    }
    for epoch in sandbox.json_lines("out/history.jsonl") {
        assert!(epoch["val_loss"].is_f64() && epoch["val_accuracy"].is_f64(), "{epoch}");
        assert!((epoch["learning_rate"].as_f64().unwrap() - 0.001).abs() < 1e-9, "{epoch}");
    }
    let result = sandbox.json("out/result.json");
    assert_eq!((&result["train_samples"], &result["validation_samples"]), (&30.into(), &10.into()));
    let text = sandbox.text("out/model.toml");
    assert!(text.contains("validation_split = 0.25") && text.contains("batch_size = 16"), "{text}");
    // The run's model file trains the same again, without flags.
    sandbox.succeed("train --model out/model.toml --data data --device cpu --out again");
    assert_eq!(sandbox.json("again/result.json")["weights_sha256"], result["weights_sha256"]);
    assert_eq!(sandbox.text("again/model.toml"), text);
}

#[test]
fn a_validation_set_of_ones_own_is_a_folder() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("own")).unwrap();
    let own = |name: &str, bytes: &[u8]| fs::write(sandbox.path("own").join(name), bytes).unwrap();
    own("train-images-idx3-ubyte", &idx(&[5, 8, 8], &[7; 5 * 64]));
    own("train-labels-idx1-ubyte", &idx(&[5], &[0, 1, 2, 0, 1]));
    let args = "--device cpu --epochs 1 --out";
    // (folder, samples, what the memory line says); of a whole data set, the test set is used.
    for (folder, samples, said) in [("own", 5, "40 + 5 + 12 samples"), ("data", 12, "40 + 12 + 12 samples")] {
        let outcome = sandbox.train(&format!("{args} {folder}-out --validation-data {folder}"));
        assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
        let result = sandbox.json(&format!("{folder}-out/result.json"));
        assert_eq!(result["validation_samples"], samples);
        assert!(result["validation_data"].as_str().unwrap().ends_with(folder), "{result}");
    }
    let epoch = sandbox.json_lines("data-out/history.jsonl").remove(0);
    assert_eq!(epoch["val_loss"], sandbox.json("data-out/result.json")["test_loss"]);
    // It replaces a split that the model file sets.
    write_model(&sandbox, "split.toml", "[training]\nvalidation_split = 0.5\n");
    sandbox.succeed(
        "train --model split.toml --data data --device cpu --epochs 1 --validation-data own --out o",
    );
    assert_eq!(sandbox.json("o/result.json")["train_samples"], 40);
}

#[test]
fn the_run_tells_why_training_ended() {
    let sandbox = Sandbox::new();
    // (flags, reason, last epoch, what standard output says)
    let rows: [(&str, &str, u64, &str); 9] = [
        ("--epochs 3", "epochs", 3, "after epoch 3: all epochs are done"),
        ("--epochs 3 --max-steps 4", "max_steps", 2, "after epoch 2: the maximum number of steps is reached"),
        ("--epochs 3 --max-steps 8", "max_steps", 3, "after epoch 3: the maximum number of steps is reached"),
        ("--epochs 3 --max-steps 9", "epochs", 3, "all epochs are done"),
        (
            "--epochs 9 --until-loss 100",
            "good_enough",
            1,
            "after epoch 1: the metrics that were asked for are reached",
        ),
        ("--epochs 9 --until-accuracy 1e-9 --until-loss 100", "good_enough", 1, "are reached"),
        ("--epochs 2 --until-accuracy 1 --until-loss -1", "epochs", 2, "all epochs are done"),
        (
            "--epochs 9 --early-stopping monitor=loss,min_delta=100,patience=2",
            "early_stopping",
            3,
            "after epoch 3: no improvement any more",
        ),
        (
            "--epochs 9 --validation-split 0.2 --early-stopping min_delta=100,patience=2,restore_best_weights=true",
            "early_stopping",
            3,
            "no improvement any more; the weights are those of epoch 1",
        ),
    ];
    for (index, (flags, reason, epoch, said)) in rows.into_iter().enumerate() {
        let outcome = sandbox.train(&format!("--device cpu --batch-size 16 {flags} --out {index}"));
        let result = sandbox.json(&format!("{index}/result.json"));
        assert_eq!(result["stopped"]["reason"], reason, "{flags}");
        assert_eq!(result["stopped"]["epoch"], epoch, "{flags}");
        assert_eq!(result["epochs"], epoch, "{flags}");
        assert!(outcome.stdout.contains(said), "{flags}: {}", outcome.stdout);
        assert_eq!(sandbox.json_lines(&format!("{index}/history.jsonl")).len() as u64, epoch, "{flags}");
    }
    // The weights of the first epoch are those of a run with one epoch.
    sandbox.train("--device cpu --batch-size 16 --epochs 1 --validation-split 0.2 --out one");
    let weights = |run: &str| sandbox.json(&format!("{run}/result.json"))["weights_sha256"].clone();
    assert_eq!(weights("8"), weights("one"));
}

#[test]
fn learning_rates_follow_schedule_and_plateau() {
    let sandbox = Sandbox::new();
    // 40 samples are 3 steps of 16: the last ones of the epochs are steps 2, 5 and 8. (flags, rates of the epochs)
    let rows: [(&str, [f64; 3]); 7] = [
        ("--schedule type=constant", [0.001, 0.001, 0.001]),
        ("--schedule type=step,boundaries=[2,5],values=[0.1,0.01,0.001]", [0.1, 0.01, 0.001]),
        ("--schedule type=exponential,decay_steps=3,decay_rate=0.5,staircase=true", [0.001, 0.0005, 0.00025]),
        (
            "--learning-rate 0.004 --schedule type=exponential,decay_steps=3,decay_rate=0.5,staircase=true",
            [0.004, 0.002, 0.001],
        ),
        (
            "--schedule type=cosine,decay_steps=8,warmup_steps=2,warmup_target=0.008",
            [0.008, 0.00553073, 0.00117157],
        ),
        (
            "--learning-rate 0.008 --schedule type=one_cycle,total_steps=9,pct_start=0.4",
            [0.007034281, 0.004694606, 3.2e-8],
        ),
        ("--reduce-lr-on-plateau monitor=loss,min_delta=100,patience=1,factor=0.5", [0.001, 0.001, 0.0005]),
    ];
    for (index, (flags, rates)) in rows.into_iter().enumerate() {
        sandbox.train(&format!("--device cpu --batch-size 16 --epochs 3 {flags} --out {index}"));
        let history = sandbox.json_lines(&format!("{index}/history.jsonl"));
        for (epoch, rate) in history.iter().zip(rates) {
            let found = epoch["learning_rate"].as_f64().unwrap();
            assert!((found - rate).abs() < 1e-6 * rate.max(0.008), "{flags}: {epoch}");
        }
        // The settings that were used are in the run's model file.
        sandbox.succeed(&format!(
            "train --model {index}/model.toml --data data --device cpu --out again-{index}"
        ));
        let weights = |run: &str| sandbox.json(&format!("{run}/result.json"))["weights_sha256"].clone();
        assert_eq!(weights(&format!("again-{index}")), weights(&index.to_string()), "{flags}");
    }
}

#[test]
fn the_model_file_says_it_all_and_flags_overrule_it() {
    let sandbox = Sandbox::new();
    let training = "[optimizer.schedule]\ntype = \"exponential\"\ndecay_steps = 3\ndecay_rate = 0.5\n\n[training]\n\
                    epochs = 9\nbatch_size = 16\nshuffle = false\nvalidation_split = 0.2\n\
                    early_stopping = { min_delta = 100.0, patience = 1 }\n";
    write_model(&sandbox, "full.toml", training);
    let train = |flags: &str, out: &str| {
        sandbox.succeed(&format!("train --model full.toml --data data --device cpu {flags} --out {out}"));
        sandbox.json(&format!("{out}/result.json"))
    };
    let result = train("", "a");
    assert_eq!((&result["stopped"]["reason"], &result["epochs"]), (&"early_stopping".into(), &2.into()));
    assert_eq!((&result["batch_size"], &result["shuffle"]), (&16.into(), &false.into()));
    assert_eq!(result["train_samples"], 32);
    let result = train("--epochs 3 --batch-size 8 --early-stopping off --validation-split 0.5", "b");
    assert_eq!((&result["stopped"]["reason"], &result["epochs"]), (&"epochs".into(), &3.into()));
    assert_eq!((&result["batch_size"], &result["train_samples"]), (&8.into(), &20.into()));
    let text = sandbox.text("b/model.toml");
    assert!(!text.contains("early_stopping") && text.contains("[optimizer.schedule]"), "{text}");
}

#[test]
fn a_limit_takes_the_first_images() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.train("--device cpu --epochs 1 --limit 20 --validation-split 0.5 --out out");
    assert!(outcome.stdout.contains("for 10 + 10 + 12 samples"), "{}", outcome.stdout);
    // A limit above the number of samples means all.
    let outcome = sandbox.train("--device cpu --epochs 1 --limit 2000 --out all");
    assert!(outcome.stdout.contains("for 40 + 12 samples"), "{}", outcome.stdout);
}

#[test]
fn mistakes_are_found_before_training() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).unwrap();
    // (flags, exit code, what the message says)
    let rows: [(&str, i32, &[&str]); 22] = [
        ("--validation-split 0", 2, &["'--validation-split <F>'", "above 0 and below 1"]),
        ("--validation-split 1", 2, &["'--validation-split <F>'", "above 0 and below 1"]),
        ("--validation-split some", 2, &["'--validation-split <F>'", "above 0 and below 1"]),
        ("--validation-split 0.001", 0, &[]),
        ("--validation-split 0.99", 1, &["`validation_split` is 0.99 of 40", "samples on both sides"]),
        ("--validation-split 0.5 --validation-data data", 2, &["cannot be used with", "--validation-split"]),
        ("--validation-data nonesuch", 1, &["`nonesuch` is not a validation set", "expected a folder"]),
        ("--validation-data empty", 1, &["empty` is not a validation set", "the folder is empty"]),
        ("--until-loss low", 2, &["'--until-loss <X>'", "a number, such as 0.05"]),
        ("--until-loss NaN", 2, &["'--until-loss <X>'"]),
        ("--until-accuracy 0", 2, &["'--until-accuracy <X>'", "above 0 and at most 1"]),
        ("--until-accuracy 98", 2, &["'--until-accuracy <X>'", "above 0 and at most 1"]),
        ("--limit 0", 2, &["'--limit <N>'", "at least 1"]),
        ("--early-stopping", 1, &["`early_stopping.monitor` is val_loss", "--validation-split"]),
        ("--early-stopping patiense=3", 2, &["unknown field `patiense`", "did you mean `patience`?"]),
        ("--early-stopping monitor=loss,min_delta=-1", 1, &["`early_stopping.min_delta` is -1"]),
        ("--reduce-lr-on-plateau monitor=loss,factor=2", 1, &["`reduce_lr_on_plateau.factor` is 2"]),
        ("--reduce-lr-on-plateau off --early-stopping off", 0, &[]),
        ("--schedule type=cosin,decay_steps=3", 2, &["unknown variant `cosin`", "did you mean `cosine`?"]),
        ("--schedule type=cosine", 2, &["missing field `decay_steps`"]),
        ("--schedule type=cosine,decay_steps=0", 1, &["`schedule.decay_steps` is 0"]),
        (
            "--schedule type=step,boundaries=[3],values=[0.1,0.01] --learning-rate 0.1",
            1,
            &["`learning_rate` is 0.1", "its own `values`"],
        ),
    ];
    for (index, (flags, code, expected)) in rows.into_iter().enumerate() {
        let out = format!("{index}");
        let args =
            format!("train --model model.toml --data data --device cpu --max-steps 1 {flags} --out {out}");
        if code == 0 {
            sandbox.succeed(&args);
        } else {
            sandbox.fail(&args, code, expected);
            assert!(!sandbox.path(&out).exists(), "{flags}: a folder was left");
        }
    }
}

#[test]
fn keys_of_the_model_file_are_checked_and_the_near_one_is_named() {
    let sandbox = Sandbox::new();
    let rows: [(&str, &[&str]); 10] = [
        ("[training]\nepoch = 3\n", &["unknown field `epoch`", "did you mean `epochs`?"]),
        ("[trainin]\nepochs = 3\n", &["unknown field `trainin`", "did you mean `training`?"]),
        ("[training]\nepochs = 0\n", &["`epochs` is 0"]),
        ("[training]\nvalidation_split = 1.0\n", &["`validation_split` is 1"]),
        ("[training]\nearly_stopping = { patiance = 3 }\n", &["did you mean `patience`?"]),
        (
            "[training]\nearly_stopping = { monitor = \"val_acc\" }\n",
            &["unknown variant `val_acc`", "`val_accuracy`?"],
        ),
        ("[training]\nreduce_lr_on_plateau = { factor = 1.5 }\n", &["`reduce_lr_on_plateau.factor` is 1.5"]),
        (
            "[optimizer]\nname = \"rmsprop\"\nlearning_rte = 0.1\n",
            &["[optimizer]", "did you mean `learning_rate`?"],
        ),
        (
            "[optimizer.schedule]\ntype = \"cosine\"\ndecay_step = 5\n",
            &["[optimizer] schedule: ", "did you mean `decay_steps`?"],
        ),
        (
            "[optimizer.schedule]\ntype = \"cosine\"\ndecay_steps = 5\n\n[training]\n\
             reduce_lr_on_plateau = { monitor = \"loss\" }\n",
            &["`reduce_lr_on_plateau` is given", "beside a schedule"],
        ),
    ];
    for (training, expected) in rows {
        write_model(&sandbox, "bad.toml", training);
        sandbox.fail(
            "train --data data --model bad.toml",
            1,
            &[&["model file `bad.toml`"], expected].concat(),
        );
    }
}
