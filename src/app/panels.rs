//! Drawers, looks and dialogs by their ids on the command line.

use super::{
    AppCommand,
    state::{LeftDrawer, Look, Measure, RightDrawer},
};

/// Something that can be opened before a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelId {
    /// On the command line.
    pub id: &'static str,
    /// What opens it.
    pub command: AppCommand,
}

const fn panel(id: &'static str, command: AppCommand) -> PanelId {
    PanelId { id, command }
}

const fn right(id: &'static str, drawer: RightDrawer) -> PanelId {
    panel(id, AppCommand::Right(drawer))
}

const fn look(id: &'static str, look: Look) -> PanelId {
    panel(id, AppCommand::Look(look))
}

impl PanelId {
    /// All, as they are listed.
    pub const ALL: &'static [PanelId] = &[
        panel("log", AppCommand::Left(LeftDrawer::Log)),
        right("checkpoints", RightDrawer::Checkpoints),
        right("numbers", RightDrawer::Numbers),
        right("fates", RightDrawer::Fates),
        right("differences", RightDrawer::Differences),
        right("handover", RightDrawer::Handover),
        panel("handover-on-plots", AppCommand::HandoverOnPlots),
        right("late", RightDrawer::Late),
        right("ask", RightDrawer::Ask),
        right("versions", RightDrawer::Versions),
        right("runs", RightDrawer::Runs),
        right("settings", RightDrawer::Settings),
        panel("reconcile", AppCommand::Theirs),
        look("over-run", Look::OverRun),
        look("moment", Look::Moment),
        look("by-page", Look::ByPage),
        look("by-day", Look::ByDay),
        look("event-time", Look::EventTime),
        look("trade-off", Look::TradeOff),
        panel("tables", AppCommand::Tables),
        panel("views", AppCommand::Show(Measure::Views)),
        panel("users", AppCommand::Show(Measure::Users)),
        panel("sum", AppCommand::Show(Measure::Sum)),
        panel("presenter", AppCommand::Presenter),
        panel("open", AppCommand::Open),
        panel("palette", AppCommand::Palette),
        panel("help", AppCommand::Help),
        panel("crash", AppCommand::CrashSetup),
    ];

    /// The one with an id.
    pub fn find(id: &str) -> Option<PanelId> {
        PanelId::ALL.iter().find(|panel| panel.id == id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawer_and_look_has_one_id() {
        for (at, panel) in PanelId::ALL.iter().enumerate() {
            let first = |other: &PanelId| other.id == panel.id || other.command == panel.command;
            assert_eq!(PanelId::ALL.iter().position(first), Some(at), "{}", panel.id);
        }
        let opens = |command: AppCommand| {
            matches!(
                command,
                AppCommand::Left(_) | AppCommand::Right(_) | AppCommand::Look(_) | AppCommand::Show(_)
            )
        };
        for spec in AppCommand::ALL.iter().filter(|spec| opens(spec.command)) {
            assert!(PanelId::ALL.iter().any(|panel| panel.command == spec.command), "{}", spec.title);
        }
        assert_eq!(PanelId::find("handover").map(|panel| panel.id), Some("handover"));
        assert_eq!(PanelId::find("nothing"), None);
    }
}
