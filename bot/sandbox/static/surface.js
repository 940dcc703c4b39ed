// A surface is what holds blocks: a message, a modal, the home tab. It knows where its interactions go, and what its inputs hold.

import { ask, attempt } from "./live.js";

export class Surface {
  /**
   * `place` names the surface to the world: `{channel, ts}` for a message, `{view_id}` for a view. `user()` is who acts.
   */
  constructor(place, user) {
    this.place = place;
    this.user = user;
    this.fields = new Map();
  }

  /** Register an input: `read()` gives its part of the state as Slack words it, or null while it has none. */
  register(blockId, actionId, read) {
    if (!this.fields.has(blockId)) this.fields.set(blockId, new Map());
    this.fields.get(blockId).set(actionId, read);
  }

  /** Return `{block_id: {action_id: value}}`, as Slack's `state.values`. */
  values() {
    const values = {};
    for (const [blockId, actions] of this.fields) {
      values[blockId] = {};
      for (const [actionId, read] of actions) {
        const value = read();
        if (value) values[blockId][actionId] = value;
      }
    }
    return values;
  }

  /** Tell the app of an interaction: `action` holds type, action_id, block_id and its value. */
  act(action) {
    return attempt("click", { ...this.place, user: this.user(), action, values: this.values() });
  }

  /** Ask the app for the options of an external select. Returns `[{label, options}]`, the label null where there are no groups. */
  async options(element, blockId, query) {
    const answer = await ask("options", {
      ...this.place, user: this.user(), block_id: blockId, action_id: element.action_id, query,
    });
    if (answer.option_groups?.length) return answer.option_groups.map((group) => ({ label: group.label, options: group.options }));
    return [{ label: null, options: answer.options ?? [] }];
  }
}
