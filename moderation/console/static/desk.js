// What waits for a person, as the API tells it; the page's own work begins here.
const answer = await fetch("/v1/queue", { headers: { "Accept-Language": document.documentElement.lang } });
if (answer.status === 401) location.assign("/console/sign-in");
