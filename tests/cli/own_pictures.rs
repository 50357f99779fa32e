//! What somebody with a folder of own pictures is told.

use crate::photos::sandbox;

#[test]
fn a_run_past_the_end_of_its_schedule_is_warned_of() {
    let sandbox = sandbox();
    let train = |flags: &str| sandbox.succeed(&format!("train --device cpu {flags}")).stderr;
    // Two steps to an epoch.
    let begun = train("--data photos --epochs 2 --out run");
    assert!(!begun.contains("the schedule"), "{begun}");
    let resumed = train("--resume --out run --epochs 3");
    let said = "warning: the schedule `one_cycle` is over since step 4, and the rate stays 8e-9: a resumed run keeps its schedule.";
    assert!(resumed.contains(said), "{resumed}");
    assert!(resumed.contains("train --init run/weights.safetensors"), "{resumed}");
    let again = train("--data photos --model run/model.toml --epochs 4 --out again");
    let said = "warning: the schedule `one_cycle` ends after step 4, epoch 2 of 4; from then on the rate stays 8e-9: give it more \
                steps with --schedule type=one_cycle,total_steps=8, or train for fewer epochs, --epochs 2";
    assert!(again.contains(said), "{again}");
    let longer = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=one_cycle,total_steps=8 --out longer",
    );
    assert!(!longer.contains("the schedule"), "{longer}");
    let cosine = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=cosine,decay_steps=3 --out cosine",
    );
    assert!(
        cosine.contains("`cosine` ends after step 3, epoch 2 of 4; from then on the rate stays 0:"),
        "{cosine}"
    );
    let step = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=step,boundaries=[3],values=[1e-3,1e-4] --out step",
    );
    assert!(!step.contains("the schedule"), "{step}");
    let crossval = sandbox.succeed(
        "crossval --data photos --model run/model.toml --folds 2 --epochs 9 --device cpu --out cross",
    );
    assert!(
        crossval.stderr.contains("warning: the schedule `one_cycle` ends after step 4, epoch 4 of 9"),
        "{crossval:?}"
    );
}

#[test]
fn what_a_schedule_gets_in_the_way_of_is_told() {
    let sandbox = sandbox();
    let plateau = "train --data photos --epochs 1 --reduce-lr-on-plateau patience=2 --device cpu --out run";
    let expected =
        ["the model that is made for pictures", "the schedule `one_cycle`", "--schedule type=constant"];
    sandbox.fail(plateau, 1, &expected);
    let stopping = sandbox
        .succeed("train --data photos --epochs 1 --early-stopping patience=2 --device cpu --out stopping");
    assert_eq!(
        stopping.stderr.matches("note: early stopping may end training before").count(),
        1,
        "{stopping:?}"
    );
    let both = "--early-stopping patience=2 --schedule type=constant";
    let both = sandbox.succeed(&format!("{plateau} {both}"));
    assert!(!both.stderr.contains("note: early stopping"), "{both:?}");
}
