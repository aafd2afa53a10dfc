// Swagger UI with nothing from elsewhere: no validator badge, no top bar that loads other documents.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#operations",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
});
