//! A handle that slides along the offsets of a partition, by mouse and by keys: the same in the drawer, on plots and on the
//! timeline.

use eframe::egui::{CursorIcon, EventFilter, Id, Key, Modifiers, Rect, Response, Sense, Ui, WidgetInfo};

/// A handle to be placed.
pub struct Slider {
    /// Its own in the whole window.
    pub id: Id,
    /// Where it can be taken hold of.
    pub hit: Rect,
    /// As it is read out.
    pub name: String,
    /// Where it stands.
    pub at: u64,
    /// How far it can go.
    pub most: u64,
    /// Whether up and down lead to the handle before and after it.
    pub has_neighbours: bool,
}

/// What was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slid {
    /// It was moved.
    To(u64),
    /// It was taken hold of, and is where it was.
    Held,
    /// So many handles further; back where below nothing.
    Step(isize),
}

impl Slider {
    /// Whether something has been done to it. `offset_at` is the offset at a place across the window.
    pub fn show(&self, ui: &Ui, offset_at: impl Fn(f32) -> u64) -> (Response, Option<Slid>) {
        let response = ui.interact(self.hit, self.id, Sense::click_and_drag());
        let response = response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
        response.widget_info(|| WidgetInfo::slider(true, self.at as f64, self.name.clone()));
        let is_held = response.clicked() || response.drag_started();
        if is_held {
            response.request_focus();
        }
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            let to = offset_at(pointer.x).min(self.most);
            if to != self.at {
                return (response, Some(Slid::To(to)));
            }
        }
        let done = self.keyed(ui, &response).or(is_held.then_some(Slid::Held));
        (response, done)
    }

    /// Left and right move by one record, with Shift by a hundredth of the partition.
    fn keyed(&self, ui: &Ui, response: &Response) -> Option<Slid> {
        if !response.has_focus() {
            return None;
        }
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: self.has_neighbours,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (mut back, mut on, mut step) = (0, 0, 0);
        ui.input_mut(|input| {
            for (modifiers, step) in [(Modifiers::SHIFT, (self.most / 100).max(1)), (Modifiers::NONE, 1)] {
                back += step * input.count_and_consume_key(modifiers, Key::ArrowLeft) as u64;
                on += step * input.count_and_consume_key(modifiers, Key::ArrowRight) as u64;
            }
            if self.has_neighbours {
                let down = input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown);
                let up = input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp);
                let presses = |count: usize| isize::try_from(count).unwrap_or(0);
                step = presses(down) - presses(up);
            }
        });
        let to = self.at.saturating_add(on).saturating_sub(back).min(self.most);
        if to != self.at {
            return Some(Slid::To(to));
        }
        (step != 0).then_some(Slid::Step(step))
    }
}
