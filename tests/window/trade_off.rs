//! The look "trade-off" through the window: points are played, knobs move along the curves, the run is played again.

use egui_kittest::kittest::Queryable as _;
use rederive::{
    app::{Edit, Input, TradeOffEdit},
    engine::{frame::Flow, protocol::Knobs},
};

use super::{
    live::{Live, sample},
    look::look,
};

#[test]
fn a_point_of_the_curve_can_be_played() {
    let mut live = Live::opened(&sample("clicks"));
    let now = live.lane().knobs;
    live.click("trade-off");
    live.until("all points", |live| {
        let page = &live.state().answers.trade_off;
        page.todo.is_empty() && !page.is_sweeping
    });
    live.settle();
    assert!(live.sees("Each point plays all 20 records"));
    let page = live.state().answers.trade_off.clone();
    assert!(page.points.len() > 4 && page.points.iter().any(|point| point.knobs == now));
    // A knob moves the point; the text says what it costs.
    let turned = Knobs { batch_every: 2, ..now };
    live.input(Input::Edit(Edit::TradeOff(TradeOffEdit::Knobs(turned))));
    live.until_sees("Batch run every 2 records");
    look(&live, "trade-off-clicks");
    live.click("reads");
    live.click("as tables");
    live.h.get_by_label("this run");
    live.click("trade-off");
    let run = live.state().run;
    live.click("Play the run again like this");
    live.until("the run with other settings", |live| live.state().run > run && live.lane().knobs == turned);
    assert!(live.sees("Batch view"), "the plots of the run are shown");
    assert!(
        kept_settings(&live).contains("\"batch_every_records\": 2,"),
        "a run that goes on later has them too"
    );
    live.fast();
    live.until("its end", |live| live.flow() == Flow::Finished);
    assert_eq!(live.lane().batch_runs, 10, "a batch run every 2 of 20 records");
}

/// What the run's directory says of its settings.
fn kept_settings(live: &Live) -> String {
    let runs = live.directory.path().join("runs");
    let newest = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    std::fs::read_to_string(newest.join("run.json")).unwrap()
}

#[test]
fn a_sweep_over_the_shop_log_shows_its_progress_and_stops() {
    let mut live = Live::opened(&sample("shop"));
    live.click("trade-off");
    live.until("the first points", |live| live.state().answers.trade_off.points.len() > 1);
    if std::env::var_os("REDERIVE_PICTURES").is_some() {
        live.until("the whole curve", |live| live.state().answers.trade_off.todo.len() <= 4);
        live.settle();
        look(&live, "trade-off-shop");
    }
    live.click("Stop");
    live.until("it stops", |live| {
        !live.state().answers.trade_off.is_sweeping && live.state().answers.pending.is_empty()
    });
    live.settle();
    assert!(live.sees("Each point plays all 31,106 records"));
    assert!(live.sees("Not played yet.") || live.sees("Micro-batches of"));
    live.click("Go on");
    assert!(live.state().answers.trade_off.is_sweeping);
    live.click("Stop");
}
