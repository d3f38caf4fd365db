/** What Node is started with where an agent is to run: by the local fleet, and in the image, whose log may have the warning. */
export const agentFlags = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning', '--optimize-for-size'];
