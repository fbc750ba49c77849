curl -s -X DELETE -H "Authorization: Bearer $ACCESS_TOKEN" -H "Content-Type: application/json" \
  -d '{"name":"Reportei Customer 3.1"}' -X PUT \
  https://connect.reportei.com/customers
