// Written by scripts/schema.mjs from http/openapi.yaml: not to be edited.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AcceptedJob: components["schemas"]["Job"] & {
            stream: components["schemas"]["StreamLink"];
        };
        /** @description Somebody asked that this life of the job be stopped; absent if nobody did. */
        Cancel: {
            /** Format: date-time */
            at?: string;
            /** @description Who asked first. */
            by?: string;
            reason?: string;
            /**
             * @description requested: it has not ended yet; confirmed: it ended as cancelled; too_late: it ended otherwise.
             * @enum {unknown}
             */
            state: "requested" | "confirmed" | "too_late";
        };
        /** @description Text such as 1.5s, or a number of seconds. */
        Duration: string | number;
        Job: {
            artifacts?: {
                bytes?: number;
                name?: string;
                type?: string;
                url?: string;
            }[];
            attempt: number;
            batch?: string;
            cancel?: components["schemas"]["Cancel"];
            checkpoint?: unknown;
            /**
             * Format: date-time
             * @description Set on every terminal status.
             */
            completed_at?: string;
            crashes: number;
            /** Format: date-time */
            created_at: string;
            error?: {
                code?: string;
                fingerprint?: string;
                message?: string;
            };
            eta_ms?: number;
            group?: string;
            /** Format: uuid */
            id: string;
            kind: string;
            max_attempts: number;
            message?: string;
            node?: string;
            owner?: string;
            payload?: unknown;
            priority: number;
            progress: number;
            queue: string;
            result?: unknown;
            /** @description 1, and one more with each new life. */
            run: number;
            /** Format: date-time */
            run_at?: string;
            stage?: string;
            stage_i?: number;
            stage_n?: number;
            /** Format: date-time */
            started_at?: string;
            status: components["schemas"]["Status"];
            tags?: string[];
            terminal: boolean;
            /** Format: date-time */
            updated_at: string;
            /** @description Only grows; rev on streams is the same number. */
            version: number;
        };
        Name: string;
        /** @enum {unknown} */
        Status: "scheduled" | "queued" | "processing" | "retrying" | "cancelling" | "completed" | "failed" | "cancelled";
        /** @description Where to watch it, with a stream token for that if tokens are configured. (Jobs of a batch have none of their own.) */
        StreamLink: {
            /** Format: date-time */
            expires_at?: string;
            token?: string;
            url: string;
        };
        /**
         * @example {
         *       "kind": "mail.send",
         *       "payload": {
         *         "to": "someone"
         *       },
         *       "delay": "10s"
         *     }
         */
        Submission: {
            /** @description The longest first wait, or that and the ceiling. */
            backoff?: components["schemas"]["Duration"] | {
                base?: components["schemas"]["Duration"];
                max?: components["schemas"]["Duration"];
            };
            batch?: components["schemas"]["Name"];
            delay?: components["schemas"]["Duration"];
            group?: components["schemas"]["Name"];
            kind: components["schemas"]["Name"];
            max_attempts?: number;
            max_crashes?: number;
            owner?: components["schemas"]["Name"];
            /** @description Any JSON, at most 256 KiB. */
            payload?: unknown;
            /** @description 0 is first. */
            priority?: number;
            queue?: components["schemas"]["Name"];
            /** Format: date-time */
            run_at?: string;
            tags?: components["schemas"]["Name"][];
            timeout?: components["schemas"]["Duration"];
        };
        VideoRequest: {
            /** @description Seconds. */
            duration?: number;
            imageUrl?: string;
            prompt: string;
            provider?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
