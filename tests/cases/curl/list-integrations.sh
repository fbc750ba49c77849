curl http://localhost:3500/api/v1/integrations \
  -d api_key=test_key
